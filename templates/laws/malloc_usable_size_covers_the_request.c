// malloc_usable_size(NULL) is 0; of a block it is at least the size asked for, stays the same, and all of it can be written (malloc_usable_size(3)).
//@ symbols = ["malloc_usable_size"]
#include "law.h"

int main(void)
{
    CHECK(malloc_usable_size(OPAQUE((void *)NULL)) == 0, "malloc_usable_size(NULL) to be 0; saw %zu",
          malloc_usable_size(OPAQUE((void *)NULL)));
    enum { count = 600 };
    static void *blocks[count];
    static size_t room[count];
    for (size_t i = 0; i < count; i++) {
        size_t size = i < 520 ? i : (size_t)1 << (9 + (i - 520) / 8);
        size += i < 520 ? 0 : i % 8;
        switch (i % 4) {
        case 0:
            blocks[i] = OPAQUE(malloc(OPAQUE(size)));
            break;
        case 1:
            blocks[i] = OPAQUE(calloc(1, OPAQUE(size)));
            break;
        case 2:
            blocks[i] = OPAQUE(law_memalign((size_t)16 << i % 7, OPAQUE(size)));
            break;
        default:
            blocks[i] = OPAQUE(realloc(OPAQUE(malloc(3)), OPAQUE(size)));
        }
        CHECK(blocks[i] != NULL, "an allocation of %zu to succeed; saw NULL", size);
        room[i] = malloc_usable_size(OPAQUE(blocks[i]));
        CHECK(room[i] >= size, "malloc_usable_size() to be at least %zu; saw %zu", size, room[i]);
        CHECK(room[i] <= size * 4 + (1 << 20), "malloc_usable_size() of a block of %zu to be believable; saw %zu", size, room[i]);
        law_fill(blocks[i], room[i], (unsigned)i);
    }
    for (size_t i = 0; i < count; i++) {
        CHECK(malloc_usable_size(OPAQUE(blocks[i])) == room[i], "malloc_usable_size() to stay at %zu; saw %zu", room[i],
              malloc_usable_size(OPAQUE(blocks[i])));
        size_t intact = law_intact(blocks[i], room[i], (unsigned)i);
        CHECK(intact == room[i], "all %zu bytes of a block to be its own; saw %zu intact", room[i], intact);
        if (i % 2) {
            free(blocks[i]);
            continue;
        }
        /* What was written beyond the request is content too, as far as realloc() can know. */
        size_t size = room[i] ? room[i] : 1;
        blocks[i] = OPAQUE(realloc(blocks[i], OPAQUE(size)));
        CHECK(blocks[i] != NULL && law_intact(blocks[i], room[i], (unsigned)i) == room[i],
              "realloc() to the usable size, %zu, to keep all of it; saw %p", size, blocks[i]);
        free(blocks[i]);
    }
    return 0;
}
