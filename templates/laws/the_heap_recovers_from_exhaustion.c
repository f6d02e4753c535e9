// When memory runs out every function fails with NULL and ENOMEM and nothing else breaks; once memory is freed allocation succeeds again (malloc(3), setrlimit(2)).
#include "law.h"

enum { most = 4096 };

int main(void)
{
    static void *blocks[most];
    const size_t size = (size_t)8 << 20;
    void *kept = OPAQUE(malloc(3000));
    CHECK(kept != NULL, "malloc(3000) to succeed; saw NULL");
    law_fill(kept, 3000, 1);
    law_limit_address_space((size_t)512 << 20);
    for (int round = 0; round < 3; round++) {
        int count = 0;
        int error = 0;
        while (count < most) {
            law_set_errno(0);
            blocks[count] = OPAQUE(malloc(OPAQUE((size_t)size)));
            error = law_errno();
            if (blocks[count] == NULL) {
                break;
            }
            /* The ends only: memory itself does not run out, the address space does. */
            law_fill(blocks[count], 100, (unsigned)count);
            law_fill((char *)blocks[count] + size - 100, 100, (unsigned)count);
            count++;
        }
        if (count == most) {
            law_does_not_apply("the heap holds 32 GiB beyond the limit");
        }
        CHECK(error == ENOMEM, "malloc() to set ENOMEM when memory runs out; saw %d", error);
        CHECK(count > 4, "some blocks to fit; saw %d", count);

        size_t more = OPAQUE((size_t)4 << 30);
        if (sizeof(size_t) == 4) {
            more = OPAQUE((size_t)PTRDIFF_MAX - 4095); /* a multiple of any alignment here */
        }
        law_set_errno(0);
        CHECK(OPAQUE(calloc(1, more)) == NULL && law_errno() == ENOMEM, "calloc() to fail with ENOMEM; saw errno %d", law_errno());
        law_set_errno(0);
        CHECK(OPAQUE(realloc(blocks[0], more)) == NULL && law_errno() == ENOMEM, "realloc() to fail with ENOMEM; saw errno %d", law_errno());
        law_set_errno(0);
        CHECK(OPAQUE(law_memalign(64, more)) == NULL && law_errno() == ENOMEM, "memalign() to fail with ENOMEM; saw errno %d", law_errno());
        law_set_errno(0);
        CHECK(OPAQUE(aligned_alloc(64, more)) == NULL && law_errno() == ENOMEM, "aligned_alloc() to fail with ENOMEM; saw errno %d", law_errno());
        void *untouched = kept;
        CHECK(posix_memalign(&untouched, 64, more) == ENOMEM && untouched == kept, "posix_memalign() to fail with ENOMEM; saw something else");
        CHECK(law_intact(kept, 3000, 1) == 3000, "other blocks to be intact; saw other bytes");

        for (int i = 0; i < count; i++) {
            CHECK(law_intact(blocks[i], 100, (unsigned)i) == 100 && law_intact((char *)blocks[i] + size - 100, 100, (unsigned)i) == 100,
                  "block %d of %d to be intact after the failures; saw other bytes", i, count);
        }
        /* What one block gives back the next may have. */
        free(blocks[0]);
        blocks[0] = OPAQUE(malloc(OPAQUE((size_t)size)));
        CHECK(blocks[0] != NULL, "malloc() to succeed again after free(); saw NULL");
        for (int i = 0; i < count; i++) {
            free(blocks[i]);
        }
        void *again = OPAQUE(malloc(OPAQUE((size_t)size)));
        CHECK(again != NULL, "malloc() to succeed when all is freed; saw NULL");
        law_fill(again, size, 2);
        free(again);
    }
    law_lift_limit();
    void *after = OPAQUE(malloc(OPAQUE(size * 8)));
    CHECK(after != NULL, "malloc() to succeed without the limit; saw NULL");
    free(after);
    CHECK(law_intact(kept, 3000, 1) == 3000, "other blocks to be intact; saw other bytes");
    free(kept);
    return 0;
}
