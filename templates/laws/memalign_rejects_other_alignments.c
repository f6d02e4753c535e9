// memalign() with an alignment that is no power of two fails with EINVAL (musl src/malloc/memalign.c; jemalloc(3)).
//@ symbols = ["memalign"]
//@ semantics = { memalign = "einval" }
#include "law.h"

int main(void)
{
    static const size_t alignments[] = {3, 5, 6, 7, 12, 24, 48, 100, 1000, 4095, 4097, 12288};
    for (size_t i = 0; i < sizeof alignments / sizeof *alignments; i++) {
        law_set_errno(0);
        void *block = OPAQUE(memalign(OPAQUE((size_t)alignments[i]), 100));
        const int error = law_errno();
        CHECK(block == NULL && error == EINVAL, "memalign(%zu, 100) to fail with EINVAL (%d); saw %p, errno %d", alignments[i], EINVAL, block,
              error);
    }
    return 0;
}
