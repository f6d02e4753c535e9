// free_sized() frees what malloc(), calloc() and realloc() return, keeps errno and takes NULL (C23 7.24.3.4).
#include "law.h"

int main(void)
{
    void (*function)(void *, size_t) = (void (*)(void *, size_t))law_lookup("free_sized");
    if (function == NULL) {
        law_does_not_apply("this libc has no free_sized()");
    }
    function(NULL, 0);
    function(NULL, 100);
    size_t resident = law_process_bytes(1);
    for (size_t i = 0; i < 300000; i++) {
        size_t size = i % 100 ? i % 2000 : i % 100000;
        void *block = OPAQUE(i % 3 == 0   ? malloc(OPAQUE(size))
                             : i % 3 == 1 ? calloc(1, OPAQUE(size))
                                          : realloc(OPAQUE(malloc(3)), OPAQUE(size + 1)));
        CHECK(block != NULL, "an allocation of %zu to succeed; saw NULL", size);
        law_fill(block, size < 64 ? size : 64, 1);
        law_set_errno(77);
        function(block, i % 3 == 2 ? size + 1 : size);
        CHECK(law_errno() == 77, "free_sized() to leave errno at 77; saw %d", law_errno());
    }
    size_t grown = law_process_bytes(1);
    grown = grown > resident ? grown - resident : 0;
    CHECK(grown < (size_t)100 << 20, "free_sized() to free; saw memory grow by %zu bytes", grown);
    return 0;
}
