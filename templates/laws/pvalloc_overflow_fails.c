// pvalloc() of a size that does not fit when rounded up to pages returns NULL and sets ENOMEM (glibc since 2.26, bug 16072).
//@ symbols = ["pvalloc"]
#include "law.h"

int main(void)
{
#if !PLATFORM_HAS_PVALLOC
    law_does_not_apply("this ABI has no pvalloc()");
#else
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 64, SIZE_MAX - page + 1, SIZE_MAX - page, SIZE_MAX - 2 * page,
                            (size_t)PTRDIFF_MAX + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        law_set_errno(0);
        void *block = OPAQUE(pvalloc(OPAQUE((size_t)sizes[i])));
        int error = law_errno();
        CHECK(block == NULL, "pvalloc(%zu) to fail; saw %p", sizes[i], block);
        CHECK(error == ENOMEM, "pvalloc(%zu) to set ENOMEM (%d); saw %d", sizes[i], ENOMEM, error);
    }
    return 0;
#endif
}
