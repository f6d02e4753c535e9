// calloc() returns zeroed memory for count * size bytes, also where freed blocks are used again (C11 7.22.3.2).
//@ standard = true
#include "law.h"

int main(void)
{
    static const size_t sizes[] = {1, 8, 16, 24, 40, 100, 128, 250, 500, 1024, 3000, 4096, 10000, 65536, 140000, 300000};
    enum { count = 16 };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *blocks[count];
        for (int round = 0; round < 3; round++) {
            for (size_t j = 0; j < count; j++) {
                size_t n = 1 + j % 4, size = (sizes[i] + n - 1) / n;
                blocks[j] = OPAQUE(j % 2 ? calloc(OPAQUE(n), OPAQUE(size)) : calloc(OPAQUE(size), OPAQUE(n)));
                CHECK(blocks[j] != NULL, "calloc(%zu, %zu) to succeed; saw NULL", n, size);
                size_t zeroed = law_zeroed(blocks[j], n * size);
                CHECK(zeroed == n * size, "calloc(%zu, %zu) to be zeroed; saw %zu zero bytes", n, size, zeroed);
                size_t room = law_room(OPAQUE(blocks[j]), n * size);
                CHECK(room >= n * size, "calloc(%zu, %zu) to have room for the product; saw %zu", n, size, room);
                law_fill(blocks[j], room, 3);
            }
            for (size_t j = 0; j < count; j++) {
                free(blocks[j]);
            }
            /* Dirty what other functions return too. */
            for (size_t j = 0; j < count; j++) {
#if LAW_HAS_ALIGNED
                blocks[j] = OPAQUE(j % 2 ? malloc(OPAQUE((size_t)sizes[i])) : law_memalign(64, OPAQUE((size_t)sizes[i])));
#else
                blocks[j] = OPAQUE(malloc(OPAQUE((size_t)sizes[i])));
#endif
                CHECK(blocks[j] != NULL, "an allocation of %zu to succeed; saw NULL", sizes[i]);
                law_fill(blocks[j], law_room(OPAQUE(blocks[j]), sizes[i]), 4);
            }
            for (size_t j = 0; j < count; j++) {
                free(blocks[j]);
            }
        }
    }
    return 0;
}
