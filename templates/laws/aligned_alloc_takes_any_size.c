// aligned_alloc() takes sizes that are no multiple of the alignment (C17 DR 460; aligned_alloc(64, 44) works on glibc and musl).
//@ semantics = { aligned_alloc_size = "any" }
#include "law.h"

int main(void)
{
    static const size_t sizes[] = {1, 7, 44, 63, 65, 100, 1000, 4097, 100001};
    for (size_t alignment = sizeof(void *); alignment <= 4096; alignment *= 2) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            void *block = OPAQUE(aligned_alloc(OPAQUE(alignment), OPAQUE((size_t)sizes[i])));
            CHECK(block != NULL, "aligned_alloc(%zu, %zu) to succeed; saw NULL, errno %d", alignment, sizes[i], law_errno());
            CHECK(law_is_aligned(block, alignment), "aligned_alloc(%zu, %zu) to be aligned; saw %p", alignment, sizes[i], block);
            law_fill(block, sizes[i], 1);
            CHECK(law_intact(block, sizes[i], 1) == sizes[i], "aligned_alloc(%zu, %zu) to be usable; saw other bytes", alignment,
                  sizes[i]);
            free(block);
        }
    }
    return 0;
}
