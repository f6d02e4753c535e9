// realloc() keeps the content up to the lesser of both sizes, growing and shrinking, also of aligned and zeroed blocks (C11 7.22.3.5).
//@ standard = true
#include "law.h"

static void *allocate(unsigned way, size_t size)
{
    switch (way % 6) {
    case 0:
        return malloc(size);
    case 1:
        return calloc(1, size);
#if LAW_HAS_ALIGNED
    case 2:
        return law_memalign((size_t)16 << way % 9, size);
    case 3: {
        void *block = NULL;
        return posix_memalign(&block, 4096, size) == 0 ? block : NULL;
    }
    case 4:
        return aligned_alloc(64, (size + 63) / 64 * 64);
#endif
    default:
        return realloc(NULL, size);
    }
}

int main(void)
{
    enum { slots = 200, rounds = 4000 };
    static struct {
        void *block;
        size_t size;
        unsigned seed;
    } slot[slots];
    unsigned state = 12345;
    for (unsigned round = 0; round < rounds; round++) {
        unsigned at = law_random(&state) % slots;
        unsigned scale = law_random(&state) % 100;
        size_t size = 1 + law_random(&state) % (scale < 70 ? 300 : scale < 98 ? 9000 : 400000);
        if (slot[at].block == NULL) {
            slot[at].block = OPAQUE(allocate(law_random(&state), OPAQUE(size)));
            CHECK(slot[at].block != NULL, "an allocation of %zu to succeed; saw NULL", size);
        } else if (law_random(&state) % 8 == 0) {
            CHECK(law_intact(slot[at].block, slot[at].size, slot[at].seed) == slot[at].size, "a live block to be intact; saw other bytes");
            free(slot[at].block);
            slot[at].block = NULL;
            continue;
        } else {
            size_t kept = size < slot[at].size ? size : slot[at].size;
            slot[at].block = OPAQUE(realloc(slot[at].block, OPAQUE(size)));
            CHECK(slot[at].block != NULL, "realloc(block of %zu, %zu) to succeed; saw NULL", slot[at].size, size);
            size_t intact = law_intact(slot[at].block, kept, slot[at].seed);
            CHECK(intact == kept, "realloc(block of %zu, %zu) to keep %zu bytes; saw %zu kept", slot[at].size, size, kept, intact);
        }
        slot[at].size = size;
        slot[at].seed = round;
        law_fill(slot[at].block, size, round);
    }
    for (unsigned at = 0; at < slots; at++) {
        free(slot[at].block);
    }
    /* One block through many sizes, up and down. */
#if LAW_HAS_ALIGNED
    void *block = OPAQUE(law_memalign(256, 1));
#else
    void *block = OPAQUE(malloc(1));
#endif
    CHECK(block != NULL, "a block of 1 byte to be had; saw NULL");
    size_t size = 1;
    law_fill(block, 1, 1);
    for (int step = 0; step < 48; step++) {
        size_t next = step < 24 ? size * 2 + (size_t)step : size / 2 + 1;
        block = OPAQUE(realloc(block, OPAQUE(next)));
        size_t kept = next < size ? next : size;
        CHECK(block != NULL && law_intact(block, kept, 1) == kept, "realloc(block of %zu, %zu) to keep its content; saw %p", size, next,
              block);
        law_fill(block, next, 1);
        size = next;
    }
    free(block);
    return 0;
}
