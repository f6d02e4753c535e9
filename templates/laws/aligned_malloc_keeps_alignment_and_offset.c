// _aligned_malloc() and its kind align every block, at an offset too, keep that and the content when they resize, and refuse what is no alignment (UCRT _aligned_malloc).
//@ symbols = ["_aligned_malloc", "_aligned_realloc", "_aligned_offset_malloc", "_aligned_offset_realloc", "_aligned_free"]
//@ standard = true
#include "law.h"

static void one(size_t alignment, size_t size, size_t offset)
{
    char *block = OPAQUE((char *)(offset ? _aligned_offset_malloc(size, alignment, offset) : _aligned_malloc(size, alignment)));
    CHECK(block != NULL, "%zu bytes aligned at %zu to be had; saw NULL", size, alignment);
    CHECK(law_is_aligned(block + offset, alignment), "byte %zu of a block to be aligned at %zu; saw %p", offset, alignment, (void *)block);
    law_fill(block, size, 1);
    for (size_t next = size * 3; next > offset + 1; next = next / 3) {
        size_t kept = next < size ? next : size;
        block = OPAQUE((char *)(offset ? _aligned_offset_realloc(block, next, alignment, offset) : _aligned_realloc(block, next, alignment)));
        CHECK(block != NULL, "an aligned block to be resized to %zu bytes; saw NULL", next);
        CHECK(law_is_aligned(block + offset, alignment), "byte %zu of a resized block to be aligned at %zu; saw %p", offset, alignment, (void *)block);
        CHECK(law_intact(block, kept, 1) == kept, "%zu bytes of an aligned block to be kept; saw them change", kept);
        law_fill(block, next, 1);
        size = next;
    }
    _aligned_free(block);
}

int main(void)
{
    for (size_t alignment = 1; alignment <= 65536; alignment *= 2) {
        for (size_t size = 40; size < 100000; size *= 9) {
            one(alignment, size, 0);
            one(alignment, size, 4);
            one(alignment, size, 24);
        }
    }
    _aligned_free(NULL);
    void *block = OPAQUE(_aligned_realloc(NULL, 100, 64));
    CHECK(block != NULL && law_is_aligned(block, 64), "_aligned_realloc(NULL, 100, 64) to allocate; saw %p", block);
    CHECK(OPAQUE(_aligned_realloc(block, 0, 64)) == NULL, "_aligned_realloc(block, 0, 64) to free it and return NULL; saw a block");
    volatile size_t huge = SIZE_MAX - 100;
    CHECK(OPAQUE(_aligned_malloc(huge, 64)) == NULL, "_aligned_malloc(%zu, 64) to fail; saw a block", (size_t)huge);
    return 0;
}
