// An alignment above 1 MiB either fails with ENOMEM or EINVAL or is honoured: no alignment is quietly lowered (C17 7.22.3.1, posix_memalign(3)).
#include "law.h"

static void check(const char *name, size_t alignment, void *block, int error)
{
    if (block == NULL) {
        CHECK(error == ENOMEM || error == EINVAL, "%s(%zu, _) to fail with ENOMEM or EINVAL; saw %d", name, alignment, error);
        return;
    }
    CHECK(law_is_aligned(block, alignment), "%s(%zu, _) to be aligned or to fail; saw %p", name, alignment, block);
    law_fill(block, 100, 3);
    CHECK(law_intact(block, 100, 3) == 100, "%s(%zu, _) to be usable; saw other bytes", name, alignment);
    free(block);
}

int main(void)
{
    size_t largest = SIZE_MAX;
#if SIZE_MAX > UINT32_MAX
    if (law_pays_for_address_space()) {
        largest = (size_t)1 << 33; /* minutes, and GiB of memory, for the rest */
    }
#endif
    for (size_t alignment = (size_t)2 << 20; alignment != 0 && alignment <= largest; alignment *= 2) {
#if !defined __GLIBC__ && SIZE_MAX > UINT32_MAX
        /* musl 1.2.3 itself crashes for these: no semantics, a defect. */
        if (alignment >= (size_t)1 << 32 && alignment < (size_t)1 << 35) {
            continue;
        }
#endif
        law_set_errno(0);
        void *block = OPAQUE(law_memalign(OPAQUE(alignment), 100));
        check("memalign", alignment, block, law_errno());

        law_set_errno(0);
        block = OPAQUE(aligned_alloc(OPAQUE(alignment), OPAQUE(alignment)));
        check("aligned_alloc", alignment, block, law_errno());

        char mark;
        block = &mark;
        int code = posix_memalign(&block, OPAQUE(alignment), 100);
        block = OPAQUE(block);
        CHECK(code == 0 || block == &mark, "posix_memalign(_, %zu, _) to leave *memptr alone when it fails; saw %p", alignment, block);
        check("posix_memalign", alignment, code == 0 ? block : NULL, code);
    }
    /* The sum of both arguments must not wrap to something small. */
    for (size_t alignment = 64; alignment != 0; alignment *= 2) {
        law_set_errno(0);
        void *block = OPAQUE(law_memalign(OPAQUE(alignment), OPAQUE(SIZE_MAX - alignment + 2)));
        int error = law_errno();
        CHECK(block == NULL || alignment > (size_t)PTRDIFF_MAX, "memalign(%zu, SIZE_MAX - %zu) to fail; saw %p", alignment, alignment - 2,
              block);
        check("memalign", alignment, block, error);
    }
    return 0;
}
