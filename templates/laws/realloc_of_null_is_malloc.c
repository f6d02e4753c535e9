// realloc(NULL, size) is malloc(size), also for size 0 and also in reallocarray() (C11 7.22.3.5, reallocarray(3)).
//@ standard = true
#include "law.h"

int main(void)
{
    void *blocks[64];
    for (size_t i = 0; i < 64; i++) {
        size_t size = i * i;
        blocks[i] = OPAQUE(realloc(OPAQUE((void *)NULL), OPAQUE(size)));
        CHECK(blocks[i] != NULL, "realloc(NULL, %zu) to return a block; saw NULL", size);
        CHECK(law_room(blocks[i], size) >= size, "realloc(NULL, %zu) to have room for its size; saw %zu", size,
              law_room(blocks[i], size));
        law_fill(blocks[i], size, (unsigned)i);
    }
    for (size_t i = 0; i < 64; i++) {
        for (size_t j = 0; j < i; j++) {
            CHECK(blocks[i] != blocks[j], "each realloc(NULL, _) to return a block of its own; saw %p twice", blocks[i]);
        }
        CHECK(law_intact(blocks[i], i * i, (unsigned)i) == i * i, "blocks of their own; saw them overlap");
    }
    for (size_t i = 0; i < 64; i++) {
        free(blocks[i]);
    }
    void *(*resize_array)(void *, size_t, size_t) = (void *(*)(void *, size_t, size_t))law_lookup("reallocarray");
    if (resize_array != NULL) {
        void *block = OPAQUE(resize_array(NULL, 0, 8));
        CHECK(block != NULL, "reallocarray(NULL, 0, 8) to return a block; saw NULL");
        free(block);
        block = OPAQUE(resize_array(NULL, 10, 10));
        CHECK(block != NULL, "reallocarray(NULL, 10, 10) to return a block; saw NULL");
        law_fill(block, 100, 1);
        free(block);
    }
    return 0;
}
