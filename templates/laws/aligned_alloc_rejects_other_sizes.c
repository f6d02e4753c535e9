// aligned_alloc() of a size that is no multiple of the alignment fails with EINVAL (C11 7.22.3.1; bionic, Darwin).
//@ semantics = { aligned_alloc_size = "multiple" }
#include "law.h"

int main(void)
{
    for (size_t alignment = sizeof(void *); alignment <= 4096; alignment *= 2) {
        const size_t sizes[] = {1, alignment - 1, alignment + 1, 3 * alignment / 2, 10 * alignment + 1};
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            law_set_errno(0);
            void *block = OPAQUE(aligned_alloc(OPAQUE(alignment), OPAQUE((size_t)sizes[i])));
            const int error = law_errno();
            CHECK(block == NULL && error == EINVAL, "aligned_alloc(%zu, %zu) to fail with EINVAL (%d); saw %p, errno %d", alignment, sizes[i],
                  EINVAL, block, error);
        }
    }
    return 0;
}
