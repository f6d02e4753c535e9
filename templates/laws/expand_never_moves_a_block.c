// _expand() resizes a block in its place or returns NULL and leaves it as it was (UCRT _expand).
//@ symbols = ["_expand", "_msize"]
//@ standard = true
#include "law.h"

int main(void)
{
    for (size_t asked = 1; asked <= (size_t)1 << 20; asked *= 3) {
        size_t size = asked;
        char *block = OPAQUE((char *)malloc(OPAQUE(size)));
        CHECK(block != NULL, "malloc(%zu) to succeed; saw NULL", size);
        law_fill(block, size, 1);
        for (size_t next = size * 4; next > 0; next /= 4) {
            char *expanded = OPAQUE((char *)_expand(block, next));
            CHECK(expanded == NULL || expanded == block, "_expand(%p, %zu) to stay where it was; saw %p", (void *)block, next, (void *)expanded);
            CHECK(expanded == NULL || _msize(block) >= next, "_expand(block, %zu) to give that many bytes; saw %zu", next, _msize(block));
            size_t kept = next < size ? next : size;
            CHECK(law_intact(block, kept, 1) == kept, "_expand(block, %zu) to keep %zu bytes; saw them change", next, kept);
            size = kept;
        }
        free(block);
    }
    return 0;
}
