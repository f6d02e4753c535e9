// posix_memalign() leaves *memptr as it was on every failure (posix_memalign(3), glibc, musl; POSIX.1-2024 allows NULL too, no libc for Linux stores it).
#include "law.h"

int main(void)
{
    static const struct {
        size_t alignment, size;
    } failures[] = {
        {0, 8},
        {1, 8},
        {2, 8},
        {3, 8},
        {sizeof(void *) / 2, 8},
        {sizeof(void *) + 1, 8},
        {sizeof(void *) * 3, 8},
        {24, 0},
        {100, 4096},
        {SIZE_MAX, 8},
        {16, SIZE_MAX},
        {16, SIZE_MAX - 100},
        {64, (size_t)PTRDIFF_MAX + 1},
        {4096, SIZE_MAX - 4095},
        {(size_t)1 << 20, SIZE_MAX - 64},
    };
    char mark;
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        void *block = &mark;
        int code = posix_memalign(&block, OPAQUE((size_t)failures[i].alignment), OPAQUE((size_t)failures[i].size));
        block = OPAQUE(block);
        CHECK(code != 0, "posix_memalign(_, %zu, %zu) to fail; saw 0", failures[i].alignment, failures[i].size);
        CHECK(block == &mark, "posix_memalign(_, %zu, %zu) to leave *memptr at %p; saw %p", failures[i].alignment,
              failures[i].size, (void *)&mark, block);
    }
    return 0;
}
