/* Blocks are apart, keep what is written into them, and come back when they are freed. */
#include "probe.h"

static struct {
    char *block;
    size_t size;
    unsigned seed;
} slots[1500];

static size_t some_size(uint32_t *random)
{
    uint32_t draw = next_random(random);
    size_t size = next_random(random);
    if (draw % 40 == 0)
        return 1 + size % (300 * 1024);
    return draw % 4 == 0 ? 1 + size % 9000 : 1 + size % 600;
}

static void check(unsigned slot, const char *when)
{
    if (slots[slot].block != NULL && !filled(slots[slot].block, slots[slot].size, slots[slot].seed))
        bad("a block of %zu bytes changed %s: blocks overlap", slots[slot].size, when);
}

static char *allocate(unsigned way, size_t size)
{
    if (way == 0 && ALLOC8_HAS_CALLOC) {
        char *block = alloc8_calloc(1, size);
        for (size_t i = 0; block != NULL && i < size; i++) {
            if (block[i] != 0) {
                bad("calloc(1, %zu) is not zeroed", size);
                break;
            }
        }
        return block;
    }
    if (way == 1 && ALLOC8_HAS_MEMALIGN) {
        char *block = alloc8_memalign((size_t)16 << (size % 5), size);
        if (block != NULL)
            return block;
    }
    return alloc8_malloc(size);
}

static void renew(unsigned slot, uint32_t *random)
{
    size_t size = some_size(random);
    say("try a block of %zu bytes", size);
    char *block;
    if (slots[slot].block != NULL && ALLOC8_HAS_REALLOC && next_random(random) % 3 == 0) {
        size_t kept = slots[slot].size < size ? slots[slot].size : size;
        block = alloc8_realloc(slots[slot].block, size);
        if (block != NULL && !filled(block, kept, slots[slot].seed))
            bad("realloc from %zu to %zu bytes loses content", slots[slot].size, size);
    } else {
        if (slots[slot].block != NULL)
            alloc8_free(slots[slot].block);
        block = allocate(next_random(random) % 4, size);
    }
    if (block == NULL) {
        bad("a request of %zu bytes is refused", size);
        slots[slot].block = NULL;
        return;
    }
    size_t whole = usable(block, size);
    if (whole < size)
        bad("malloc_usable_size says %zu of a block of %zu bytes", whole, size);
    /* All that may be used is used. */
    slots[slot].block = block;
    slots[slot].size = whole > size && whole < size + 65536 ? whole : size;
    slots[slot].seed++;
    slots[slot].seed += slot * 17;
    fill(block, slots[slot].size, slots[slot].seed);
}

void case_content(void)
{
    uint32_t random = 42;
    for (unsigned i = 0; badness() == 0 && i < 12000; i++) {
        unsigned slot = next_random(&random) % COUNT(slots);
        check(slot, "while it was live");
        renew(slot, &random);
    }
    for (unsigned i = 0; i < COUNT(slots); i++) {
        check(i, "while it was live");
        if (badness() != 0)
            return;
        if (slots[i].block != NULL)
            alloc8_free(slots[i].block);
    }
    for (size_t size = 16; ALLOC8_HAS_CALLOC && size <= (size_t)4 << 20; size *= 2) {
        char *dirty = alloc8_malloc(size);
        memset(dirty, 0x5a, size);
        alloc8_free(dirty);
        alloc8_free(allocate(0, size));
    }
}

/* How much memory stays with the process after as many blocks come and go. */
static size_t growth(void (*release)(void *block, size_t size), size_t size, unsigned count, bool aligned)
{
    size_t before = process_bytes(1);
    for (unsigned i = 0; i < count; i++) {
        char *block = aligned ? alloc8_memalign(256, size) : alloc8_malloc(size);
        if (block == NULL)
            break;
        for (size_t at = 0; at < size; at += 4096)
            block[at] = 1;
        release(block, size);
    }
    size_t after = process_bytes(1);
    return after > before ? after - before : 0;
}

static void by_free(void *block, size_t size)
{
    (void)size;
    alloc8_free(block);
}

static void by_size(void *block, size_t size)
{
    alloc8_free_sized(block, size);
}

static void by_alignment(void *block, size_t size)
{
    alloc8_free_aligned_sized(block, 256, size);
}

static void judge_release(const char *name, void (*release)(void *, size_t), bool aligned)
{
    static const size_t sizes[] = {40, 1000, 40000, 300000};
    for (unsigned i = 0; i < COUNT(sizes); i++) {
        unsigned count = (unsigned)(((size_t)64 << 20) / (sizes[i] < 400 ? 400 : sizes[i]));
        say("try %s of blocks of %zu bytes", name, sizes[i]);
        size_t plain = growth(by_free, sizes[i], count, aligned);
        size_t with = growth(release, sizes[i], count, aligned);
        if (with > (size_t)24 << 20 && with > 2 * plain)
            bad("%s frees less than free: memory grew by %zu bytes", name, with);
    }
    /* What was freed is served again, and nobody else has it. */
    char *blocks[400];
    for (unsigned i = 0; i < COUNT(blocks); i++)
        blocks[i] = aligned ? alloc8_memalign(256, 1 + i * 50) : alloc8_malloc(1 + i * 50);
    for (unsigned i = 0; i < COUNT(blocks); i += 2)
        release(blocks[i], 1 + i * 50);
    for (unsigned i = 0; i < COUNT(blocks); i += 2)
        blocks[i] = alloc8_malloc(1 + i * 50);
    for (unsigned i = 0; i < COUNT(blocks); i++)
        fill(blocks[i], 1 + i * 50, i);
    for (unsigned i = 0; i < COUNT(blocks); i++) {
        if (!filled(blocks[i], 1 + i * 50, i))
            bad("blocks overlap after %s", name);
        alloc8_free(blocks[i]);
    }
}

void case_sized_free(void)
{
    if (!ALLOC8_HAS_FREE_SIZED && !ALLOC8_HAS_FREE_ALIGNED_SIZED)
        skip("there is no free_sized");
    if (ALLOC8_HAS_FREE_SIZED)
        judge_release("free_sized", by_size, false);
    if (ALLOC8_HAS_FREE_ALIGNED_SIZED && ALLOC8_HAS_MEMALIGN)
        judge_release("free_aligned_sized", by_alignment, true);
}

void case_good_size(void)
{
    if (!ALLOC8_HAS_MALLOC_GOOD_SIZE) {
        skip("there is no malloc_good_size");
        return;
    }
    for (size_t size = 0; size <= (size_t)8 << 20; size = size < 3000 ? size + 1 : size * 9 / 8) {
        say("try malloc_good_size(%zu)", size);
        size_t good = alloc8_malloc_good_size(size);
        if (good < size)
            bad("malloc_good_size(%zu) returned %zu", size, good);
        void *block = alloc8_malloc(size == 0 ? 1 : size);
        if (block == NULL)
            continue;
        size_t got = usable(block, good);
        if (good != got && size != 0)
            bad("malloc_good_size(%zu) returned %zu, but such a block has %zu bytes", size, good, got);
        alloc8_free(block);
    }
}
