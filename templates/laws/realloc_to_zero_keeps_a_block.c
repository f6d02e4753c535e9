// realloc(block, 0) returns a block that can be freed, not NULL (musl, FreeBSD, Darwin).
//@ semantics = { realloc_zero = "live" }
#include "law.h"

int main(void)
{
    for (size_t size = 1; size <= (size_t)1 << 22; size *= 2) {
        void *block = OPAQUE(malloc(OPAQUE(size)));
        CHECK(block != NULL, "malloc(%zu) to succeed; saw NULL", size);
        void *result = OPAQUE(realloc(block, OPAQUE((size_t)0)));
        CHECK(result != NULL, "realloc(block of %zu, 0) to return a block; saw NULL", size);
        result = OPAQUE(realloc(result, 100));
        CHECK(result != NULL, "a block of no bytes to be resized; saw NULL");
        law_fill(result, 100, 1);
        free(result);
    }
    return 0;
}
