// When no memory is left, each function that allocates says so with NULL and ENOMEM, keeps every block as it was, and succeeds again after a free (malloc(3), posix_memalign(3), strdup(3); setrlimit(2)).
#include "law.h"

enum { most = 400000, each = 100 };

/* A list that lies in the blocks themselves: there is no other memory. */
struct block {
    struct block *next;
    size_t size;
};

static struct block *filling;

/* Takes nearly everything, in blocks that are hardly touched. */
static void fill(void)
{
    for (size_t size = (size_t)8 << 20; size >= 2048; size /= 4) {
        for (int count = 0;; count++) {
            struct block *block = (struct block *)OPAQUE(malloc(OPAQUE(size)));
            if (block == NULL) {
                break;
            }
            if (count == most) {
                law_does_not_apply("the heap holds too much beyond the limit");
            }
            block->next = filling;
            block->size = size;
            filling = block;
        }
    }
}

static void release(struct block *list)
{
    while (list != NULL) {
        struct block *next = list->next;
        free(list);
        list = next;
    }
}

/* How a call failed: its own code, or errno. */
static int failure;

static void *with_code(int code, void *block)
{
    if (code != 0) {
        failure = code;
        return NULL;
    }
    return OPAQUE(block);
}

static char text[each];

static void *by_malloc(void) { return malloc(each); }
static void *by_calloc(void) { return calloc(10, each / 10); }
static void *by_realloc(void) { return realloc(NULL, each); }
static void *by_memalign(void) { return law_memalign(64, each); }
static void *by_aligned_alloc(void) { return aligned_alloc(64, 128); }

static void *by_posix_memalign(void)
{
    void *block = text;
    const int code = posix_memalign(&block, 64, each);
    CHECK(code == 0 || OPAQUE(block) == text, "posix_memalign() that fails to leave *memptr alone; saw %p", block);
    return with_code(code, block);
}

#if PLATFORM_HAS_VALLOC
static void *by_valloc(void) { return valloc(each); }
#endif
#if PLATFORM_HAS_PVALLOC
static void *by_pvalloc(void) { return pvalloc(each); }
#endif
#if PLATFORM_HAS_REALLOCARRAY
static void *by_reallocarray(void) { return reallocarray(NULL, 10, each / 10); }
#endif
static void *by_strdup(void) { return strdup(text); }
static void *by_strndup(void) { return strndup(text, each - 2); }

static const struct {
    const char *name;
    void *(*call)(void);
} functions[] = {
    {"malloc()", by_malloc},
    {"calloc()", by_calloc},
    {"realloc(NULL, _)", by_realloc},
    {"memalign()", by_memalign},
    {"aligned_alloc()", by_aligned_alloc},
    {"posix_memalign()", by_posix_memalign},
#if PLATFORM_HAS_VALLOC
    {"valloc()", by_valloc},
#endif
#if PLATFORM_HAS_PVALLOC
    {"pvalloc()", by_pvalloc},
#endif
#if PLATFORM_HAS_REALLOCARRAY
    {"reallocarray(NULL, _, _)", by_reallocarray},
#endif
    {"strdup()", by_strdup},
    {"strndup()", by_strndup},
};

/* How many blocks it gave. */
static int use_up_memory(const char *name, void *(*call)(void))
{
    struct block *list = NULL;
    int count = 0;
    for (;; count++) {
        failure = 0;
        law_set_errno(0);
        struct block *block = (struct block *)OPAQUE(call());
        const int error = failure != 0 ? failure : law_errno();
        if (block == NULL) {
            CHECK(error == ENOMEM, "%s without memory to say ENOMEM (%d); saw %d", name, ENOMEM, error);
            break;
        }
        if (count == most) {
            law_does_not_apply("the heap holds too much beyond the limit");
        }
        block->next = list;
        block->size = each;
        law_fill(block + 1, each - sizeof *block - 2, 5);
        list = block;
    }
    for (struct block *block = list; block != NULL; block = block->next) {
        CHECK(block->size == each && law_intact(block + 1, each - sizeof *block - 2, 5) == each - sizeof *block - 2,
              "a block of %s to be intact after the failure; saw other bytes", name);
    }
    release(list);
    /* An aligned block may need the room of several. */
    if (count >= 16) {
        void *again = OPAQUE(call());
        CHECK(again != NULL, "%s to succeed again after free(); saw NULL", name);
        free(again);
    }
    return count;
}

/* A block that cannot grow stays what it is. */
static void grow_in_vain(void)
{
    const size_t size = 3000;
    unsigned char *block = (unsigned char *)filling;
    filling = filling->next;
    size_t room = law_room(block, 2048);
    room = room < size ? room : size;
    law_fill(block, room, 6);
    for (size_t more = (size_t)1 << 20; more <= (size_t)1 << 28; more *= 2) {
        law_set_errno(0);
        void *other = OPAQUE(realloc(block, OPAQUE(more)));
        if (other != NULL) {
            /* A mapping may grow in place into what was left. */
            block = (unsigned char *)other;
        } else {
            CHECK(law_errno() == ENOMEM, "realloc() without memory to say ENOMEM (%d); saw %d", ENOMEM, law_errno());
        }
        CHECK(law_intact(block, room, 6) == room, "realloc() that fails to keep the block; saw other bytes");
    }
    free(block);
}

int main(void)
{
    memset(text, 't', sizeof text - 1);
    unsigned char *kept = (unsigned char *)OPAQUE(malloc(3000));
    CHECK(kept != NULL, "malloc(3000) to succeed; saw NULL");
    law_fill(kept, 3000, 1);
    free(OPAQUE(strdup(text)));
    /* A heap may have used up all the addresses that it reserves, and keep them for blocks of one size. */
    int gave[sizeof functions / sizeof *functions] = {0};
    law_limit_address_space((size_t)64 << 20);
    for (int round = 0; round < 2; round++) {
        fill();
        for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
            gave[i] += use_up_memory(functions[i].name, functions[i].call);
        }
        if (filling != NULL) {
            grow_in_vain();
        }
        CHECK(law_intact(kept, 3000, 1) == 3000, "other blocks to be intact; saw other bytes");
        release(filling);
        filling = NULL;
    }
    law_lift_limit();
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        void *again = OPAQUE(functions[i].call());
        CHECK(again != NULL || gave[i] == 0, "%s to succeed without the limit; saw NULL", functions[i].name);
        free(again);
    }
    free(kept);
    return 0;
}
