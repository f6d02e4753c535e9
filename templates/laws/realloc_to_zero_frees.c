// realloc(block, 0) frees the block and returns NULL, with errno as it was (glibc manual "Changing Block Size"; also bionic).
//@ semantics = { realloc_zero = "free" }
//@ standard = true
#include "law.h"

int main(void)
{
    for (size_t size = 1; size <= (size_t)1 << 22; size *= 2) {
        void *block = OPAQUE(malloc(OPAQUE(size)));
        CHECK(block != NULL, "malloc(%zu) to succeed; saw NULL", size);
        law_set_errno(77);
        void *result = OPAQUE(realloc(block, OPAQUE((size_t)0)));
        int error = law_errno();
        CHECK(result == NULL, "realloc(block of %zu, 0) to return NULL; saw %p", size, result);
        CHECK(error == 77, "realloc(block of %zu, 0) to leave errno at 77: it is no failure; saw %d", size, error);
    }
    /* That the blocks are freed shows in what the process uses: 320 MiB of small blocks, 16 GiB of large ones. */
    size_t resident = law_process_bytes(1);
    for (size_t i = 0; i < 400000; i++) {
        char *block = OPAQUE((char *)malloc(OPAQUE((size_t)800)));
        CHECK(block != NULL, "malloc(800) to succeed; saw NULL");
        block[0] = block[799] = 1;
        CHECK(OPAQUE(realloc(block, OPAQUE((size_t)0))) == NULL, "realloc(block, 0) to return NULL; saw a block");
    }
    size_t grown = law_process_bytes(1);
    grown = grown > resident ? grown - resident : 0;
    CHECK(grown < (size_t)100 << 20, "realloc(block, 0) to free small blocks; saw memory grow by %zu bytes", grown);
    if (sizeof(void *) > 4) {
        size_t mapped = law_process_bytes(0);
        for (size_t i = 0; i < 4096; i++) {
            void *block = OPAQUE(malloc(OPAQUE((size_t)4 << 20)));
            CHECK(block != NULL, "malloc(4 MiB) to succeed; saw NULL");
            CHECK(OPAQUE(realloc(block, OPAQUE((size_t)0))) == NULL, "realloc(block, 0) to return NULL; saw a block");
        }
        grown = law_process_bytes(0);
        grown = grown > mapped ? grown - mapped : 0;
        CHECK(grown < (size_t)8 << 30, "realloc(block, 0) to free large blocks; saw address space grow by %zu bytes", grown);
    }
    return 0;
}
