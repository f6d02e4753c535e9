// No function of the malloc family sets errno to zero (C11 7.5p3: errno is never set to zero by any library function).
//@ standard = true
#include "law.h"

#define KEEPS_ERRNO_SET(call)                                                             \
    do {                                                                                  \
        law_set_errno(77);                                                                \
        void *block = OPAQUE(call);                                                       \
        int error = law_errno();                                                          \
        CHECK(block != NULL, #call " to succeed; saw NULL");                              \
        CHECK(error != 0, #call " to leave errno set; saw 0");                            \
        law_set_errno(77);                                                                \
        free(block);                                                                      \
        CHECK(law_errno() != 0, "free() to leave errno set; saw 0");                      \
    } while (0)

int main(void)
{
    for (size_t size = 1; size <= (size_t)1 << 24; size *= 8) {
        size_t n = OPAQUE(size);
        KEEPS_ERRNO_SET(malloc(n));
        KEEPS_ERRNO_SET(calloc(1, n));
        KEEPS_ERRNO_SET(realloc(NULL, n));
        KEEPS_ERRNO_SET(realloc(OPAQUE(malloc(10)), n));
#if LAW_HAS_ALIGNED
        KEEPS_ERRNO_SET(law_memalign(64, n));
        KEEPS_ERRNO_SET(aligned_alloc(64, (n + 63) / 64 * 64));
        law_set_errno(77);
        void *block = NULL;
        int code = posix_memalign(&block, 64, n);
        CHECK(code == 0 && law_errno() != 0, "posix_memalign() to succeed and to leave errno set; saw code %d, errno %d", code, law_errno());
        law_set_errno(77);
        CHECK(law_room(OPAQUE(block), n) >= n && law_errno() != 0, "malloc_usable_size() to leave errno set; saw 0");
        free(block);
#endif
    }
    return 0;
}
