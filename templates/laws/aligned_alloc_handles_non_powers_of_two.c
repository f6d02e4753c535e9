// aligned_alloc() with an alignment that is no power of two fails with EINVAL, or rounds it up where the host's libc does (glibc before 2.38).
#include "law.h"
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

static int host_rounds_up(void)
{
#ifdef __GLIBC__
    return PLATFORM_ALIGNED_ALLOC_ROUNDS_UP || strverscmp(gnu_get_libc_version(), "2.38") < 0;
#else
    return PLATFORM_ALIGNED_ALLOC_ROUNDS_UP;
#endif
}

int main(void)
{
    static const size_t alignments[] = {3, 5, 6, 12, 24, 48, 100, 1000, 4095, 4097, 12288};
    for (size_t i = 0; i < sizeof alignments / sizeof *alignments; i++) {
        size_t power = 1;
        while (power < alignments[i]) {
            power *= 2;
        }
        /* Several live blocks: one alone may be aligned by chance. */
        void *blocks[8];
        for (size_t j = 0; j < 8; j++) {
            law_set_errno(0);
            void *block = OPAQUE(aligned_alloc(OPAQUE((size_t)alignments[i]), OPAQUE(100 + j)));
            int error = law_errno();
            blocks[j] = block;
            if (block == NULL) {
                CHECK(error == EINVAL, "aligned_alloc(%zu, _) to fail with EINVAL (%d); saw errno %d", alignments[i], EINVAL, error);
            } else {
                CHECK(host_rounds_up(), "aligned_alloc(%zu, _) to fail with EINVAL on this libc; saw %p", alignments[i], block);
                CHECK(law_is_aligned(block, power), "aligned_alloc(%zu, _) to round up to %zu; saw %p", alignments[i], power, block);
                law_fill(block, 100 + j, (unsigned)j);
            }
        }
        for (size_t j = 0; j < 8; j++) {
            CHECK(blocks[j] == NULL || law_intact(blocks[j], 100 + j, (unsigned)j) == 100 + j,
                  "aligned_alloc(%zu, _) to give blocks of their own; saw them overlap", alignments[i]);
            free(blocks[j]);
        }
    }
    return 0;
}
