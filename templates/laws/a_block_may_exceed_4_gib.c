// One block may be larger than 4 GiB where size_t and the system allow it: sizes are not cut to 32 bits (C11 7.22.3; malloc(3): up to PTRDIFF_MAX).
#include "law.h"

int main(void)
{
#if SIZE_MAX <= UINT32_MAX
    law_does_not_apply("size_t has 32 bits here");
#else
    size_t four = (size_t)4 << 30;
    void *room = mmap(NULL, 2 * four, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) {
        law_does_not_apply("the system does not grant 8 GiB of address space");
    }
    munmap(room, 2 * four);
    /* Only the ends are touched: the pages between cost nothing. */
    static const size_t extras[] = {1, 100, 5000, (size_t)1 << 30};
    for (size_t i = 0; i < sizeof extras / sizeof *extras; i++) {
        size_t size = four + extras[i];
        for (int way = 0; way < 3; way++) {
            char *block = OPAQUE((char *)(way == 0   ? malloc(OPAQUE(size))
                                          : way == 1 ? law_memalign(4096, OPAQUE(size))
                                                     : realloc(OPAQUE(strdup("kept")), OPAQUE(size))));
            CHECK(block != NULL, "an allocation of %zu to succeed; saw NULL, errno %d", size, law_errno());
            CHECK(way != 2 || strcmp(block, "kept") == 0, "realloc() to %zu to keep the content; saw \"%.4s\"", size, block);
            CHECK(law_room(block, size) >= size, "malloc_usable_size() to be at least %zu; saw %zu", size, law_room(block, size));
            /* A size cut to 32 bits makes this write land outside, on a neighbour or on nothing. */
            char *neighbour = OPAQUE((char *)malloc(5000));
            CHECK(neighbour != NULL, "malloc(5000) to succeed; saw NULL");
            law_fill(neighbour, 5000, 4);
            law_fill(block, 100, 1);
            block[four] = 'f';
            law_fill(block + size - 1, 1, 3);
            CHECK(law_intact(block, 100, 1) == 100 && law_intact(block + size - 1, 1, 3) == 1, "both ends of a block of %zu to be usable; saw other bytes",
                  size);
            CHECK(law_intact(neighbour, 5000, 4) == 5000, "the neighbour of a block of %zu to be intact; saw other bytes", size);
            block = OPAQUE((char *)realloc(block, 70000));
            CHECK(block != NULL && law_intact(block, 100, 1) == 100, "realloc() from %zu down to 70000 to keep the content; saw %p", size,
                  (void *)block);
            free(block);
            free(neighbour);
        }
    }
    return 0;
#endif
}
