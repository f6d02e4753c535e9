// _msize() says how many bytes a block has, which are at least those that were asked for, and all of them are the program's (UCRT _msize).
//@ symbols = ["_msize"]
//@ standard = true
#include "law.h"

int main(void)
{
    for (size_t size = 0; size <= (size_t)1 << 22; size = size * 2 + 1) {
        char *block = OPAQUE((char *)malloc(OPAQUE(size)));
        CHECK(block != NULL, "malloc(%zu) to succeed; saw NULL", size);
        size_t room = _msize(block);
        CHECK(room >= size, "_msize(block of %zu) to cover it; saw %zu", size, room);
        law_fill(block, room, 1);
        char *other = OPAQUE((char *)calloc(1, size));
        CHECK(other != NULL && _msize(other) >= size, "_msize(zeroed block of %zu) to cover it; saw less", size);
        law_fill(other, _msize(other), 2);
        CHECK(law_intact(block, room, 1) == room, "the bytes of _msize() to be the block's own; saw them change");
        block = OPAQUE((char *)realloc(block, size + 100));
        CHECK(block != NULL && _msize(block) >= size + 100, "_msize(resized block of %zu) to cover it; saw less", size + 100);
        free(block);
        free(other);
    }
    return 0;
}
