/* Sizes: huge, none, overflowing, and what is left of errno. */
#include "probe.h"

#include <stdlib.h>
#ifndef _WIN32
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#endif

enum { BEFORE = 77 }; /* an errno that no function sets */

/* Looks at the answer to a request of `size` bytes, and frees it. */
static void judge(const char *function, size_t size, size_t alignment, const char *kind, char *block,
                  int error)
{
    if (block == NULL) {
        say("null %s %zu %zu %s %d", function, size, alignment, kind, error);
        return;
    }
    if (size >= NO_BLOCK_FROM) {
        say("wrong %zu %s(%zu) returned a block", size, function, size);
        return;
    }
    if (usable(block, size) < size) {
        say("wrong %zu %s(%zu) returned a block of %zu bytes", size, function, size, usable(block, size));
        return;
    }
    if (((uintptr_t)block & (alignment - 1)) != 0)
        say("wrong %zu %s(%zu) is not aligned at %zu", size, function, size, alignment);
    say("try %s(%zu) and writing its first and last byte", function, size);
    block[0] = block[size - 1] = 1;
    say("try free(%s(%zu))", function, size);
    alloc8_free(block);
}

static void judge_size(size_t size)
{
    say("try malloc(%zu)", size);
    errno = BEFORE;
    char *block = alloc8_malloc(size);
    judge("malloc", size, 1, "size", block, errno);
    if (ALLOC8_HAS_CALLOC && size >= NO_BLOCK_FROM) {
        /* Smaller ones may be served, and then zeroed, which nobody has the time for. */
        say("try calloc(1, %zu)", size);
        errno = BEFORE;
        block = alloc8_calloc(1, size);
        judge("calloc", size, 1, "size", block, errno);
    }
    for (size_t alignment = 16; ALLOC8_HAS_MEMALIGN && alignment <= 65536; alignment *= 16) {
        say("try memalign(%zu, %zu)", alignment, size);
        errno = BEFORE;
        block = alloc8_memalign(alignment, size);
        judge("memalign", size, alignment, "size", block, errno);
    }
    if (ALLOC8_HAS_REALLOC) {
        char *old = alloc8_malloc(100);
        if (old == NULL) {
            say("wrong %zu after it was refused, malloc(100) is refused too", size);
            return;
        }
        fill(old, 100, 5);
        say("try realloc(block, %zu)", size);
        errno = BEFORE;
        block = alloc8_realloc(old, size);
        int error = errno;
        if (!filled(block == NULL || size >= NO_BLOCK_FROM ? old : block, 100, 5))
            say("wrong %zu realloc(block, %zu) changed the block", size, size);
        judge("realloc", size, 1, "size", block, error);
        if (block == NULL)
            alloc8_free(old);
    }
}

void case_sizes(int count, char **sizes)
{
    for (int i = 0; i < count; i++) {
        size_t size = (size_t)strtoull(sizes[i], NULL, 10);
        judge_size(size);
        say("got size %zu", size);
    }
}

#ifdef _WIN32
void case_exhaustion(void)
{
    skip("nothing limits the memory of one process there");
}
#else
/* Blocks of one size until there are no more, each linked to the one before. */
static void **take_all(size_t size, size_t budget, bool *refused, int *error)
{
    void **last = NULL;
    *refused = false;
    for (size_t total = 0; total < budget; total += size) {
        errno = BEFORE;
        void **block = alloc8_malloc(size);
        *error = errno;
        if (block == NULL) {
            *refused = true;
            break;
        }
        *block = last;
        last = block;
    }
    return last;
}

static void exhaust(size_t size, size_t budget)
{
    bool refused;
    int error;
    say("try malloc(%zu) until memory runs out", size);
    char *kept = alloc8_malloc(64);
    fill(kept, 64, 9);
    void **blocks = take_all(size, budget, &refused, &error);
    size_t large = (size_t)512 << 20;
    if (refused) {
        say("null malloc %zu 1 exhausted %d", size, error);
        say("got exhausted %zu", size);
        errno = BEFORE;
        say("try calloc when memory ran out");
        if (ALLOC8_HAS_CALLOC && alloc8_calloc(1, large) == NULL)
            say("null calloc %zu 1 exhausted %d", large, errno);
        errno = BEFORE;
        say("try memalign when memory ran out");
        if (ALLOC8_HAS_MEMALIGN && alloc8_memalign(4096, large) == NULL)
            say("null memalign %zu 4096 exhausted %d", large, errno);
        errno = BEFORE;
        say("try realloc when memory ran out");
        if (ALLOC8_HAS_REALLOC && alloc8_realloc(kept, large) == NULL)
            say("null realloc %zu 1 exhausted %d", large, errno);
        if (!filled(kept, 64, 9))
            bad("realloc changed a block when memory ran out");
    }
    say("try to free all blocks after memory ran out");
    while (blocks != NULL) {
        void **next = *blocks;
        alloc8_free(blocks);
        blocks = next;
    }
    alloc8_free(kept);
    void *again = alloc8_malloc(size);
    if (again == NULL)
        bad("malloc(%zu) is refused even after all blocks were freed", size);
    else
        alloc8_free(again);
}

void case_exhaustion(void)
{
    /* Warm: what an allocator reserves once must not count. */
    for (size_t size = 16; size <= (size_t)4 << 20; size *= 2)
        alloc8_free(alloc8_malloc(size));
    size_t now = process_bytes(0);
    if (now == 0) {
        skip("the size of this process cannot be read");
        return;
    }
    struct rlimit limits = {now + ((size_t)128 << 20), now + ((size_t)128 << 20)};
    setrlimit(RLIMIT_AS, &limits);
    /* Only one page in 256 is touched; an allocator may have reserved a GiB before. */
    exhaust((size_t)1 << 20, SIZE_MAX / 4 < (size_t)6 << 29 ? SIZE_MAX / 4 : (size_t)6 << 29);
    exhaust(600, (size_t)256 << 20);
}
#endif

void case_calloc_overflow(void)
{
    if (!ALLOC8_HAS_CALLOC) {
        skip("there is no calloc");
        return;
    }
    size_t half = (size_t)1 << (4 * sizeof(size_t));
    size_t pairs[][2] = {
        {SIZE_MAX / 2, 4}, {SIZE_MAX / 2 + 1, 2}, {SIZE_MAX / 2 + 17, 2}, {SIZE_MAX / 4 + 2, 4},
        {half, half},      {half + 1, half},      {half * 2 + 2, half / 2}, {SIZE_MAX, SIZE_MAX},
        {SIZE_MAX / 16 + 2, 16}, {SIZE_MAX, 2},
    };
    for (size_t i = 0; i < 2 * COUNT(pairs); i++) {
        size_t nmemb = pairs[i / 2][i % 2], size = pairs[i / 2][1 - i % 2];
        say("try calloc(%zu, %zu)", nmemb, size);
        errno = BEFORE;
        void *block = alloc8_calloc(nmemb, size);
        int error = errno;
        if (block != NULL)
            bad("calloc(%zu, %zu) returned a block", nmemb, size);
        else
            say("null calloc 0 1 overflow %d", error);
    }
}

static void *no_bytes(unsigned way)
{
    switch (way) {
    case 0: return alloc8_malloc(0);
    case 1: return alloc8_calloc(0, 8);
    case 2: return alloc8_calloc(8, 0);
    case 3: return alloc8_memalign(64, 0);
    default: return alloc8_realloc(NULL, 0);
    }
}

void case_zero_size(void)
{
    static const char *const names[] = {"malloc(0)", "calloc(0, 8)", "calloc(8, 0)", "memalign(64, 0)",
                                        "realloc(NULL, 0)"};
    bool has[] = {true, ALLOC8_HAS_CALLOC, ALLOC8_HAS_CALLOC, ALLOC8_HAS_MEMALIGN, ALLOC8_HAS_REALLOC};
    void *blocks[5][64];
    for (unsigned i = 0; i < 5 * 64; i++) {
        unsigned way = i % 5;
        say("try %s", names[way]);
        void *block = blocks[way][i / 5] = has[way] ? no_bytes(way) : NULL;
        if (!has[way])
            continue;
        if (block == NULL) {
            bad("%s returned NULL", names[way]);
            has[way] = false;
        }
        if (way == 3 && ((uintptr_t)block & 63) != 0)
            bad("memalign(64, 0) is not aligned at 64");
        for (unsigned j = 0; block != NULL && j < i; j++) {
            if (blocks[j % 5][j / 5] == block) {
                bad("%s and a live %s are the same block", names[way], names[j % 5]);
                break;
            }
        }
    }
    for (unsigned i = 0; badness() == 0 && i < 5 * 64; i++) {
        say("try free(%s)", names[i % 5]);
        if (has[i % 5])
            alloc8_free(blocks[i % 5][i / 5]);
    }
}

void case_realloc_null(void)
{
    if (!ALLOC8_HAS_REALLOC) {
        skip("there is no realloc");
        return;
    }
    say("try realloc(NULL, 0)");
    void *empty = alloc8_realloc(NULL, 0);
    if (empty == NULL)
        bad("realloc(NULL, 0) returned NULL");
    else
        alloc8_free(empty);
    void *blocks[200];
    for (unsigned i = 0; i < COUNT(blocks); i++) {
        size_t size = 1 + (size_t)i * i * 7;
        say("try realloc(NULL, %zu)", size);
        blocks[i] = alloc8_realloc(NULL, size);
        if (blocks[i] == NULL) {
            bad("realloc(NULL, %zu) returned NULL", size);
            return;
        }
        if (usable(blocks[i], size) < size) {
            bad("realloc(NULL, %zu) returned a block of %zu bytes", size, usable(blocks[i], size));
            return;
        }
        fill(blocks[i], size, i);
    }
    for (unsigned i = 0; i < COUNT(blocks); i++) {
        if (!filled(blocks[i], 1 + (size_t)i * i * 7, i))
            bad("blocks of realloc(NULL, size) overlap");
        alloc8_free(blocks[i]);
    }
}

void case_realloc_zero(void)
{
    if (!ALLOC8_HAS_REALLOC) {
        skip("there is no realloc");
        return;
    }
    unsigned freed = 0, live = 0;
    for (size_t size = 1; size <= (size_t)4 << 20; size *= 2) {
        void *block = alloc8_malloc(size);
        say("try realloc(block of %zu bytes, 0)", size);
        errno = BEFORE;
        void *result = alloc8_realloc(block, 0);
        int error = errno;
        if (result == NULL && error != BEFORE)
            bad("realloc(p, 0) returned NULL and set errno to %d", error);
        if (result == NULL)
            freed++;
        else
            live++;
        say("try free(realloc(block of %zu bytes, 0))", size);
        if (result != NULL)
            alloc8_free(result);
    }
    if (freed != 0 && live != 0)
        bad("realloc(p, 0) returned NULL for some blocks and a block for others");
    say("got realloc_zero %s", freed != 0 ? "free" : "live");
    size_t before = process_bytes(1);
    for (unsigned i = 0; i < 100000; i++) {
        char *block = alloc8_malloc(800);
        if (block == NULL)
            break;
        block[0] = block[799] = 1;
        void *result = alloc8_realloc(block, 0);
        if (result != NULL)
            alloc8_free(result);
    }
    size_t after = process_bytes(1);
    if (after > before && after - before > (size_t)40 << 20)
        bad("realloc(p, 0) does not free: memory grew by %zu bytes", after - before);
}

void case_usable_size_null(void)
{
    if (!ALLOC8_HAS_MALLOC_USABLE_SIZE) {
        skip("there is no malloc_usable_size");
        return;
    }
    say("try malloc_usable_size(NULL)");
    size_t size = alloc8_malloc_usable_size(NULL);
    if (size != 0)
        bad("malloc_usable_size(NULL) returned %zu", size);
}

void case_free_null(void)
{
    for (unsigned i = 0; i < 4; i++) {
        say("try free(NULL)");
        alloc8_free(NULL);
        say("try free_sized(NULL, 0)");
        alloc8_free_sized(NULL, 0);
        say("try free_aligned_sized(NULL, 16, 0)");
        alloc8_free_aligned_sized(NULL, 16, 0);
        /* And once more when the heap is in use. */
        alloc8_free(alloc8_malloc(100));
    }
}

#ifdef _WIN32
/* What gives memory back there sets no errno. */
static bool spoils;
#else
/* The system's functions by which memory is given back, in the allocator too: when they fail, which no
 * test can arrange, they leave errno changed. These do what they are asked and leave it changed. */
static _Thread_local bool spoils;

static int spoiled(long result)
{
    if (spoils && result == 0)
        errno = EINVAL;
    return (int)result;
}

int munmap(void *address, size_t length)
{
    return spoiled(syscall(SYS_munmap, address, length));
}

int madvise(void *address, size_t length, int advice)
{
    return spoiled(syscall(SYS_madvise, address, length, advice));
}

int mprotect(void *address, size_t length, int protection)
{
    return spoiled(syscall(SYS_mprotect, address, length, protection));
}
#endif

static void release(void *block, size_t size, const char *function)
{
    if (block == NULL)
        return;
    spoils = true;
    errno = BEFORE;
    alloc8_free(block);
    int error = errno;
    spoils = false;
    (void)spoils;
    if (error != BEFORE)
        bad("free of a block of %zu bytes from %s set errno to %d", size, function, error);
}

void case_free_errno(void)
{
    for (unsigned round = 0; round < 2; round++) {
        for (size_t size = 1; size <= (size_t)64 << 20; size *= 2) {
            char *blocks[4];
            for (unsigned i = 0; i < 4; i++) {
                blocks[i] = alloc8_malloc(size);
                if (blocks[i] != NULL)
                    blocks[i][0] = blocks[i][size - 1] = 1;
            }
            for (unsigned i = 0; i < 4; i++)
                release(blocks[i], size, "malloc");
        }
        for (size_t alignment = 16; ALLOC8_HAS_MEMALIGN && alignment <= 4096; alignment *= 4)
            release(alloc8_memalign(alignment, 1000), 1000, "memalign");
        if (ALLOC8_HAS_CALLOC)
            release(alloc8_calloc(100, 100), 10000, "calloc");
        if (ALLOC8_HAS_REALLOC)
            release(alloc8_realloc(alloc8_malloc(10), 300000), 300000, "realloc");
    }
    /* The largest are in no cache; some allocators give memory back when time has passed. */
    for (size_t size = (size_t)1 << 28; size != 0 && size <= NO_BLOCK_FROM >> 18; size *= 2)
        release(alloc8_malloc(size), size, "malloc");
#ifdef _WIN32
    Sleep(20);
#else
    usleep(20000);
#endif
    static void *many[20000];
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = alloc8_malloc(i % 5 ? 1 + i % 700 : 5000);
    for (size_t i = 0; i < COUNT(many); i++)
        release(many[i], i % 5 ? 1 + i % 700 : 5000, "malloc");
}
