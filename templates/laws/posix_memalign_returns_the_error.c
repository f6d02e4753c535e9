// posix_memalign() returns EINVAL for an alignment that is no power of two times sizeof(void *), else ENOMEM when it fails (posix_memalign(3), POSIX).
#include "law.h"

int main(void)
{
    static const size_t bad[] = {0, 1, 2, 3, sizeof(void *) / 2, sizeof(void *) + 1, sizeof(void *) * 3, 24, 48, 100, 4095, 4097,
                                 ((size_t)1 << 20) + sizeof(void *), SIZE_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        void *block = NULL;
        int code = posix_memalign(&block, OPAQUE((size_t)bad[i]), 8);
        CHECK(code == EINVAL, "posix_memalign(_, %zu, 8) to return EINVAL (%d); saw %d", bad[i], EINVAL, code);
    }
    static const size_t huge[] = {(size_t)PTRDIFF_MAX + 1, SIZE_MAX - 4096, SIZE_MAX - 100, SIZE_MAX - 1, SIZE_MAX};
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        for (size_t alignment = sizeof(void *); alignment <= 65536; alignment *= 2) {
            void *block = NULL;
            int code = posix_memalign(&block, OPAQUE(alignment), OPAQUE((size_t)huge[i]));
            CHECK(code == ENOMEM, "posix_memalign(_, %zu, %zu) to return ENOMEM (%d); saw %d", alignment, huge[i], ENOMEM, code);
        }
    }
    for (size_t alignment = sizeof(void *); alignment <= 65536; alignment *= 2) {
        void *block = NULL;
        int code = posix_memalign(&block, OPAQUE(alignment), 100);
        block = OPAQUE(block);
        CHECK(code == 0 && block != NULL, "posix_memalign(_, %zu, 100) to succeed; saw %d, block %p", alignment, code, block);
        free(block);
    }
    return 0;
}
