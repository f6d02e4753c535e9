// valloc() and pvalloc() return blocks aligned to a page, and pvalloc() rounds the size up to whole pages (valloc(3)).
//@ symbols = ["valloc", "pvalloc"]
#include "law.h"

int main(void)
{
#if !PLATFORM_HAS_PVALLOC
    law_does_not_apply("this ABI has no pvalloc()");
#else
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    void *blocks[64];
    for (size_t i = 0; i < 64; i++) {
        size_t size = 1 + i * 333;
        blocks[i] = i % 2 ? OPAQUE(valloc(OPAQUE(size))) : OPAQUE(pvalloc(OPAQUE(size)));
        CHECK(blocks[i] != NULL, "%s(%zu) to succeed; saw NULL", i % 2 ? "valloc" : "pvalloc", size);
        CHECK(law_is_aligned(blocks[i], page), "%s(%zu) to be aligned to %zu; saw %p", i % 2 ? "valloc" : "pvalloc", size, page, blocks[i]);
        size_t whole = i % 2 ? size : (size + page - 1) / page * page;
        CHECK(malloc_usable_size(blocks[i]) >= whole, "%s(%zu) to have room for %zu; saw %zu", i % 2 ? "valloc" : "pvalloc", size, whole,
              malloc_usable_size(blocks[i]));
        law_fill(blocks[i], whole, (unsigned)i);
    }
    for (size_t i = 0; i < 64; i++) {
        size_t size = 1 + i * 333;
        CHECK(law_intact(blocks[i], size, (unsigned)i) == size, "blocks of their own; saw them overlap");
        free(blocks[i]);
    }
    return 0;
#endif
}
