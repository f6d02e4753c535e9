// A request for no bytes returns a block of its own that can be resized and freed, not NULL (malloc(3): glibc, musl; posix_memalign(3)).
//@ standard = true
#include "law.h"

static void *zero(unsigned way)
{
    size_t none = OPAQUE((size_t)0);
    switch (way) {
    case 0:
        return malloc(none);
    case 1:
        return calloc(none, 8);
    case 2:
        return calloc(8, none);
    case 3:
        return calloc(none, none);
    case 4:
        return realloc(NULL, none);
#if LAW_HAS_ALIGNED
    case 5:
        return law_memalign(64, none);
    case 6: {
        void *block = NULL;
        return posix_memalign(&block, 64, none) == 0 ? block : NULL;
    }
    case 7:
        return aligned_alloc(64, none);
    case 8:
        return law_memalign(4096, none);
#endif
    default:
#if PLATFORM_HAS_VALLOC
        return valloc(none);
#else
        return malloc(none);
#endif
    }
}

int main(void)
{
    static const char *names[] = {"malloc(0)",       "calloc(0, 8)",            "calloc(8, 0)",         "calloc(0, 0)",      "realloc(NULL, 0)",
                                  "memalign(64, 0)", "posix_memalign(_, 64, 0)", "aligned_alloc(64, 0)", "memalign(4096, 0)", "valloc(0)"};
    enum { ways = sizeof names / sizeof *names, each = 20 };
    void *blocks[ways * each];
    for (unsigned i = 0; i < ways * each; i++) {
        blocks[i] = OPAQUE(zero(i % ways));
        CHECK(blocks[i] != NULL, "%s to return a block; saw NULL", names[i % ways]);
        for (unsigned j = 0; j < i; j++) {
            CHECK(blocks[i] != blocks[j], "%s to return a block of its own; saw %p twice", names[i % ways], blocks[i]);
        }
#if LAW_HAS_ALIGNED
        if (i % ways == 5 || i % ways == 6 || i % ways == 7) {
            CHECK(law_is_aligned(blocks[i], 64), "%s to be aligned; saw %p", names[i % ways], blocks[i]);
        }
#endif
    }
    for (unsigned i = 0; i < ways * each; i++) {
        if (i / ways % 2) {
            blocks[i] = OPAQUE(realloc(blocks[i], 50));
            CHECK(blocks[i] != NULL, "the block of %s to be resized; saw NULL", names[i % ways]);
            law_fill(blocks[i], 50, i);
        }
    }
    for (unsigned i = 0; i < ways * each; i++) {
        CHECK(i / ways % 2 == 0 || law_intact(blocks[i], 50, i) == 50, "blocks of their own; saw them overlap");
        free(blocks[i]);
    }
    return 0;
}
