// Every allocation function that fails returns NULL and sets ENOMEM (malloc(3), POSIX; sizes above PTRDIFF_MAX always fail).
//@ standard = true
#include "law.h"

#define EXPECT_ENOMEM(call)                                                                              \
    do {                                                                                                 \
        law_set_errno(0);                                                                                \
        void *block = OPAQUE(call);                                                                      \
        int error = law_errno();                                                                         \
        CHECK(block == NULL, #call " with size %zu to fail; saw %p", size, block);                       \
        CHECK(error == ENOMEM, #call " with size %zu to set ENOMEM (%d); saw %d", size, ENOMEM, error);  \
    } while (0)

int main(void)
{
    const size_t sizes[] = {(size_t)PTRDIFF_MAX + 1, (size_t)PTRDIFF_MAX + 4096, SIZE_MAX - 65536, SIZE_MAX - 4096, SIZE_MAX - 100,
                            SIZE_MAX - 16,           SIZE_MAX - 8,               SIZE_MAX - 7,     SIZE_MAX - 1,    SIZE_MAX};
    void *old = OPAQUE(malloc(100));
    CHECK(old != NULL, "malloc(100) to succeed; saw NULL");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size = OPAQUE((size_t)sizes[i]);
        EXPECT_ENOMEM(malloc(size));
        EXPECT_ENOMEM(calloc(1, size));
        EXPECT_ENOMEM(calloc(size, 1));
        EXPECT_ENOMEM(realloc(NULL, size));
        EXPECT_ENOMEM(realloc(old, size));
#if PLATFORM_HAS_MEMALIGN
        EXPECT_ENOMEM(memalign(8, size));
        EXPECT_ENOMEM(memalign(64, size));
        EXPECT_ENOMEM(memalign(65536, size));
#endif
#if LAW_HAS_ALIGNED
        EXPECT_ENOMEM(aligned_alloc(16, size / 16 * 16));
        EXPECT_ENOMEM(aligned_alloc(4096, size / 4096 * 4096));
#endif
#if PLATFORM_HAS_VALLOC
        EXPECT_ENOMEM(valloc(size));
#endif
    }
    free(old);
    return 0;
}
