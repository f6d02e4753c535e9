// realloc() that fails leaves the old block and its content as they were (C11 7.22.3.5).
//@ standard = true
#include "law.h"

int main(void)
{
    static const size_t huge[] = {(size_t)PTRDIFF_MAX + 1, SIZE_MAX - 4096, SIZE_MAX - 100, SIZE_MAX - 7, SIZE_MAX};
    for (size_t size = 1; size <= 300000; size = size * 3 + 1) {
        void *block = OPAQUE(malloc(OPAQUE(size)));
        CHECK(block != NULL, "malloc(%zu) to succeed; saw NULL", size);
        law_fill(block, size, 9);
        for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
            void *other = OPAQUE(realloc(block, OPAQUE((size_t)huge[i])));
            CHECK(other == NULL, "realloc(block, %zu) to fail; saw %p", huge[i], other);
            /* Had the block been freed, one of these would lie on it. */
            void *others[8];
            for (size_t j = 0; j < 8; j++) {
                others[j] = OPAQUE(malloc(OPAQUE(size)));
                CHECK(others[j] != block, "the old block to stay allocated; saw %p given out again", block);
                law_fill(others[j], size, 10);
            }
            CHECK(law_intact(block, size, 9) == size, "the old block of %zu to be intact; saw other bytes after %zu", size,
                  law_intact(block, size, 9));
            for (size_t j = 0; j < 8; j++) {
                free(others[j]);
            }
        }
        block = OPAQUE(realloc(block, OPAQUE(size + 100)));
        CHECK(block != NULL && law_intact(block, size, 9) == size, "the old block to be resized after the failures; saw %p", block);
        free(block);
    }
    return 0;
}
