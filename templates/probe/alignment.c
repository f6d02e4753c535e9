/* Alignments. */
#include "probe.h"

/* The largest power of two that an address is a multiple of. */
static size_t alignment_of(const void *block)
{
    uintptr_t address = (uintptr_t)block;
    return (size_t)(address & (~address + 1));
}

static size_t smallest = (size_t)1 << 16;

static void look(const char *function, size_t size, void *block)
{
    if (block == NULL)
        return;
    size_t alignment = alignment_of(block);
    if (size >= 16 && alignment < smallest) {
        smallest = alignment;
        say("got min_align %zu", smallest);
        say("got least %s(%zu) is aligned at %zu", function, size, smallest);
    }
    /* Smaller ones must suit every type that fits into them. */
    if (size >= 8 && size < 16 && alignment < 8)
        bad("%s(%zu) is aligned at %zu", function, size, alignment);
    if (size >= 4 && size < 8 && alignment < 4)
        bad("%s(%zu) is aligned at %zu", function, size, alignment);
}

void case_min_align(void)
{
    static void *kept[1024];
    uint32_t random = 1;
    say("got min_align %zu", smallest);
    for (unsigned round = 0; round < 3; round++) {
        for (size_t size = 1; size <= 4096; size++) {
            unsigned slot = next_random(&random) % COUNT(kept);
            if (kept[slot] != NULL)
                alloc8_free(kept[slot]);
            kept[slot] = alloc8_malloc(size);
            look("malloc", size, kept[slot]);
            slot = next_random(&random) % COUNT(kept);
            if (ALLOC8_HAS_CALLOC && size % 3 == round) {
                if (kept[slot] != NULL)
                    alloc8_free(kept[slot]);
                kept[slot] = alloc8_calloc(1, size);
                look("calloc", size, kept[slot]);
            } else if (ALLOC8_HAS_REALLOC && size % 3 == (round + 1) % 3 && kept[slot] != NULL) {
                kept[slot] = alloc8_realloc(kept[slot], size);
                look("realloc", size, kept[slot]);
            }
        }
    }
    for (size_t size = 5000; size <= (size_t)16 << 20; size = size * 5 / 3) {
        void *block = alloc8_malloc(size);
        look("malloc", size, block);
        if (block != NULL)
            alloc8_free(block);
    }
}

/* Some blocks at one alignment; whether all were served. What is wrong is told, and is no refusal. */
static bool serve(size_t alignment, size_t size, unsigned count)
{
    void *blocks[16];
    unsigned served = 0;
    say("try memalign(%zu, %zu)", alignment, size);
    for (; served < count; served++) {
        errno = 77;
        char *block = blocks[served] = alloc8_memalign(alignment, size);
        int error = errno;
        if (block == NULL) {
            say("null memalign %zu %zu alignment %d", size, alignment, error);
            break;
        }
        if (((uintptr_t)block & (alignment - 1)) != 0) {
            bad("memalign(%zu, %zu) is aligned at %zu", alignment, size, alignment_of(block));
            return false;
        }
        if (usable(block, size) < size) {
            bad("memalign(%zu, %zu) returned a block of %zu bytes", alignment, size, usable(block, size));
            return false;
        }
        say("try memalign(%zu, %zu) and writing its first and last byte", alignment, size);
        block[0] = block[size - 1] = 1;
    }
    say("try free(memalign(%zu, %zu))", alignment, size);
    for (unsigned i = 0; i < served; i++)
        alloc8_free(blocks[i]);
    return served == count;
}

void case_max_align(void)
{
#ifdef _WIN32
    /* Wine keeps a record of every page that is reserved; and no shim there asks for alignments. */
    skip("nobody asks for alignments there");
    return;
#endif
    if (!ALLOC8_HAS_MEMALIGN) {
        skip("there is no memalign");
        return;
    }
    bool all = true;
    unsigned bits = 8 * sizeof(void *) - 1;
    for (unsigned bit = 3; bit <= bits; bit++) {
        size_t alignment = (size_t)1 << bit;
        if (alignment >= NO_BLOCK_FROM) {
            all = false;
            say("try memalign(%zu, 64)", alignment);
            errno = 77;
            void *block = alloc8_memalign(alignment, 64);
            int error = errno;
            if (block != NULL) {
                bad("memalign(%zu, 64) returned a block", alignment);
                return;
            }
            say("null memalign 64 %zu alignment %d", alignment, error);
            continue;
        }
        bool served = serve(alignment, 64, bit < 21 ? 8 : 1);
        if (served && bit < 26) {
            served = serve(alignment, 1, 4) && serve(alignment, alignment + 1, bit < 17 ? 4 : 1)
                && serve(alignment, 5000, 4) && serve(alignment, alignment * 2 - 8, 1);
        }
        if (badness() != 0)
            return;
        all = all && served;
        if (all)
            say("got max_align %zu", alignment);
        else
            say("got refused %zu", alignment);
    }
}

void case_natural_align(void)
{
    static void *kept[512];
    uint32_t random = 7;
    for (size_t size = 16; size <= (size_t)16 << 20; size *= 2) {
        void *blocks[8];
        /* Odd sizes between, so that luck does not look like a rule. */
        for (unsigned i = 0; i < COUNT(kept); i += 1 + (size > 65536) * 63) {
            if (kept[i] != NULL)
                alloc8_free(kept[i]);
            kept[i] = alloc8_malloc(1 + next_random(&random) % (size * 2));
        }
        bool aligned = true;
        for (unsigned i = 0; i < COUNT(blocks); i++) {
            blocks[i] = alloc8_malloc(size);
            aligned = aligned && blocks[i] != NULL && ((uintptr_t)blocks[i] & (size - 1)) == 0;
            if (!aligned) {
                say("got natural_beyond malloc(%zu) is aligned at %zu", size,
                    blocks[i] == NULL ? (size_t)0 : alignment_of(blocks[i]));
                return;
            }
        }
        say("got natural_align %zu", size);
        for (unsigned i = 0; i < COUNT(blocks); i++)
            alloc8_free(blocks[i]);
    }
}

void case_alignment_einval(void)
{
    if (!ALLOC8_HAS_MEMALIGN) {
        skip("there is no memalign");
        return;
    }
    for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        say("try memalign(%zu, 100)", alignment);
        void *block = alloc8_memalign(alignment, 100);
        if (block == NULL)
            bad("memalign(%zu, 100) returned NULL", alignment);
        else
            alloc8_free(block);
    }
    size_t odd[] = {0, 3, 24, 48, 1000, 4095, SIZE_MAX / 2, SIZE_MAX / 2 + 2, SIZE_MAX};
    for (unsigned i = 0; i < COUNT(odd); i++) {
        say("try memalign(%zu, 100)", odd[i]);
        errno = 77;
        void *block = alloc8_memalign(odd[i], 100);
        int error = errno;
        if (block != NULL)
            bad("memalign(%zu, 100) returned a block", odd[i]);
        else if (error != EINVAL)
            bad("memalign(%zu, 100) returned NULL and left errno %d, expected EINVAL (%d)", odd[i],
                error == 77 ? 0 : error, EINVAL);
    }
}

/* A description may have swapped alignment and size: nothing in an archive tells. */
void case_argument_order(void)
{
    static char *blocks[64];
    if (!ALLOC8_HAS_MEMALIGN) {
        skip("there is no memalign");
        return;
    }
    say("try memalign(4096, 64)");
    for (unsigned i = 0; i < COUNT(blocks); i++) {
        blocks[i] = alloc8_memalign(4096, 64);
        if (blocks[i] == NULL) {
            skip("memalign(4096, 64) is refused");
            return;
        }
        if (((uintptr_t)blocks[i] & 4095) != 0) {
            bad("memalign(4096, 64) is not aligned at 4096");
            return;
        }
    }
    for (unsigned i = 0; i < COUNT(blocks); i++)
        alloc8_free(blocks[i]);
    say("try memalign(64, 4096)");
    for (unsigned i = 0; i < COUNT(blocks); i++) {
        blocks[i] = alloc8_memalign(64, 4096);
        if (blocks[i] == NULL) {
            skip("memalign(64, 4096) is refused");
            return;
        }
        if (usable(blocks[i], 4096) < 4096) {
            bad("memalign(64, 4096) has %zu bytes", usable(blocks[i], 4096));
            return;
        }
        fill(blocks[i], 4096, i);
    }
    for (unsigned i = 0; i < COUNT(blocks); i++) {
        if (!filled(blocks[i], 4096, i)) {
            bad("blocks of memalign(64, 4096) overlap");
            return;
        }
    }
    for (unsigned i = 0; i < COUNT(blocks); i++)
        alloc8_free(blocks[i]);
}
