// calloc() and reallocarray() multiply in size_t: products of 4 GiB and more are not cut to 32 bits (C11 7.22.3.2).
#include "law.h"

int main(void)
{
#if SIZE_MAX <= UINT32_MAX
    law_does_not_apply("size_t has 32 bits here");
#else
    /* With 2 GiB left, a product just above 4 GiB can only fail; cut to 32 bits it would succeed. */
    law_limit_address_space((size_t)2 << 30);
    static const size_t counts[] = {65536, 65537, 1 << 20, 1 << 30, 0x80000001};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        for (size_t size = ((size_t)4 << 30) / counts[i]; size <= (((size_t)4 << 30) / counts[i]) + 2; size++) {
            size_t count = OPAQUE((size_t)counts[i]);
            if (count * size < (size_t)3 << 30) {
                continue;
            }
            law_set_errno(0);
            void *block = OPAQUE(calloc(count, OPAQUE(size)));
            CHECK(block == NULL && law_errno() == ENOMEM, "calloc(%zu, %zu) to fail with ENOMEM under the limit; saw %p, errno %d", count,
                  size, block, law_errno());
            law_set_errno(0);
            block = OPAQUE(calloc(OPAQUE(size), count));
            CHECK(block == NULL && law_errno() == ENOMEM, "calloc(%zu, %zu) to fail with ENOMEM under the limit; saw %p, errno %d", size,
                  count, block, law_errno());
            void *(*resize_array)(void *, size_t, size_t) = (void *(*)(void *, size_t, size_t))law_lookup("reallocarray");
            if (resize_array != NULL) {
                block = OPAQUE(resize_array(NULL, count, size));
                CHECK(block == NULL, "reallocarray(NULL, %zu, %zu) to fail under the limit; saw %p", count, size, block);
            }
        }
    }
    law_set_errno(0);
    void *block = OPAQUE(malloc(OPAQUE(((size_t)4 << 30) + 100)));
    CHECK(block == NULL && law_errno() == ENOMEM, "malloc(4 GiB + 100) to fail with ENOMEM under the limit; saw %p, errno %d", block,
          law_errno());
    return 0;
#endif
}
