// Blocks of two words and more are aligned to two words and for max_align_t, on x86 to 16 bytes, smaller ones for every type that fits (C11 7.22.3; glibc malloc-alignment.h, SSE).
//@ standard = true
#include "law.h"

#ifdef __i386__
#define MOST ((size_t)16)
#else
#define MOST (2 * sizeof(void *))
#endif

static void check(const char *name, size_t size, const void *block)
{
    size_t alignment = 1;
    while (alignment * 2 <= size && alignment < MOST) {
        alignment *= 2;
    }
    CHECK(block != NULL, "%s of %zu to succeed; saw NULL", name, size);
    CHECK(law_is_aligned(block, alignment), "%s of %zu to be aligned to %zu; saw %p", name, size, alignment, block);
    if (size >= sizeof(max_align_t)) {
        CHECK(law_is_aligned(block, _Alignof(max_align_t)), "%s of %zu to be aligned for max_align_t; saw %p", name, size, block);
    }
}

int main(void)
{
    enum { count = 400 };
    static void *blocks[3 * count];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < count; i++) {
            size_t size = round == 0 ? i : round == 1 ? 16 + i * 8 : 16 + i * 1001;
            void **three = blocks + 3 * i;
            check("malloc", size, three[0] = OPAQUE(malloc(OPAQUE(size))));
            check("calloc", size, three[1] = OPAQUE(calloc(1, OPAQUE(size))));
            check("realloc", size, three[2] = OPAQUE(realloc(OPAQUE(malloc(5)), OPAQUE(size + 1))));
        }
        for (size_t i = 0; i < 3 * count; i++) {
            free(blocks[i]);
        }
    }
    return 0;
}
