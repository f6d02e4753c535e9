// glibc's second names (__libc_malloc, __libc_free and so on) and malloc(), free() work on one heap (exported by every glibc; old programs and libraries call them).
//@ symbols = ["__libc_malloc", "__libc_free", "__libc_calloc", "__libc_realloc", "__libc_memalign", "__libc_valloc", "__libc_pvalloc"]
#include "law.h"

int main(void)
{
    void *(*libc_malloc)(size_t) = (void *(*)(size_t))law_lookup("__libc_malloc");
    void (*libc_free)(void *) = (void (*)(void *))law_lookup("__libc_free");
    void *(*libc_calloc)(size_t, size_t) = (void *(*)(size_t, size_t))law_lookup("__libc_calloc");
    void *(*libc_realloc)(void *, size_t) = (void *(*)(void *, size_t))law_lookup("__libc_realloc");
    void *(*libc_memalign)(size_t, size_t) = (void *(*)(size_t, size_t))law_lookup("__libc_memalign");
    void *(*libc_valloc)(size_t) = (void *(*)(size_t))law_lookup("__libc_valloc");
    void *(*libc_pvalloc)(size_t) = (void *(*)(size_t))law_lookup("__libc_pvalloc");
    void (*old_free)(void *) = (void (*)(void *))law_lookup("cfree");
    if (!libc_malloc || !libc_free || !libc_calloc || !libc_realloc || !libc_memalign || !libc_valloc || !libc_pvalloc) {
        law_does_not_apply("this libc has no __libc_malloc and its like");
    }
    for (size_t size = 1; size <= (size_t)1 << 20; size = size * 2 + 1) {
        void *blocks[12];
        blocks[0] = OPAQUE(libc_malloc(size));
        blocks[1] = OPAQUE(libc_calloc(1, size));
        blocks[2] = OPAQUE(libc_realloc(NULL, size));
        blocks[3] = OPAQUE(libc_realloc(OPAQUE(malloc(10)), size));
        blocks[4] = OPAQUE(libc_memalign(128, size));
        blocks[5] = OPAQUE(libc_valloc(size));
        blocks[6] = OPAQUE(libc_pvalloc(size));
        blocks[7] = OPAQUE(malloc(size));
        blocks[8] = OPAQUE(calloc(1, size));
        blocks[9] = OPAQUE(memalign(128, size));
        blocks[10] = OPAQUE(realloc(OPAQUE(libc_malloc(10)), size));
        blocks[11] = OPAQUE(strdup("text"));
        for (unsigned i = 0; i < 11; i++) {
            CHECK(blocks[i] != NULL, "an allocation of %zu to succeed; saw NULL", size);
            CHECK(malloc_usable_size(blocks[i]) >= size, "malloc_usable_size() of block %u to be at least %zu; saw %zu", i, size,
                  malloc_usable_size(blocks[i]));
            law_fill(blocks[i], size, i);
        }
        for (unsigned i = 0; i < 11; i++) {
            CHECK(law_intact(blocks[i], size, i) == size, "blocks of their own; saw block %u overwritten", i);
        }
        /* What the one name allocated the other resizes and frees. */
        for (unsigned i = 0; i < 7; i++) {
            if (i % 2) {
                blocks[i] = OPAQUE(realloc(blocks[i], size + 100));
                CHECK(blocks[i] != NULL && law_intact(blocks[i], size, i) == size, "realloc() of a __libc_ block to keep it; saw %p", blocks[i]);
            }
            free(blocks[i]);
        }
        for (unsigned i = 7; i < 12; i++) {
            if (i == 7 || i == 9) {
                blocks[i] = OPAQUE(libc_realloc(blocks[i], size + 100));
                CHECK(blocks[i] != NULL && law_intact(blocks[i], size, i) == size, "__libc_realloc() of a block to keep it; saw %p", blocks[i]);
            }
            if (i == 8 && old_free != NULL) {
                old_free(blocks[i]);
            } else {
                libc_free(blocks[i]);
            }
        }
    }
    return 0;
}
