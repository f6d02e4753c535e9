// free_aligned_sized() frees what aligned_alloc() returns, keeps errno and takes NULL (C23 7.24.3.5).
#include "law.h"

int main(void)
{
    void (*function)(void *, size_t, size_t) = (void (*)(void *, size_t, size_t))law_lookup("free_aligned_sized");
    if (function == NULL) {
        law_does_not_apply("this libc has no free_aligned_sized()");
    }
    function(NULL, 64, 0);
    function(NULL, 4096, 100);
    size_t resident = law_process_bytes(1);
    for (size_t i = 0; i < 100000; i++) {
        size_t alignment = (size_t)16 << i % 9, size = (i % 50 ? i % 2000 : i % 100000) / alignment * alignment + alignment;
        void *block = OPAQUE(aligned_alloc(OPAQUE(alignment), OPAQUE(size)));
        CHECK(block != NULL, "aligned_alloc(%zu, %zu) to succeed; saw NULL", alignment, size);
        law_fill(block, size < 64 ? size : 64, 1);
        law_set_errno(77);
        function(block, alignment, size);
        CHECK(law_errno() == 77, "free_aligned_sized() to leave errno at 77; saw %d", law_errno());
    }
    size_t grown = law_process_bytes(1);
    grown = grown > resident ? grown - resident : 0;
    CHECK(grown < (size_t)100 << 20, "free_aligned_sized() to free; saw memory grow by %zu bytes", grown);
    return 0;
}
