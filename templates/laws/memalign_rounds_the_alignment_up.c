// memalign() rounds an alignment that is no power of two up to the next one (glibc; also bionic).
//@ symbols = ["memalign"]
//@ semantics = { memalign = "round-up" }
#include "law.h"

int main(void)
{
    static const size_t alignments[] = {0, 1, 3, 5, 6, 7, 12, 24, 48, 100, 1000, 4095, 4097, 12288};
    for (size_t i = 0; i < sizeof alignments / sizeof *alignments; i++) {
        size_t power = 1;
        while (power < alignments[i]) {
            power *= 2;
        }
        void *blocks[8];
        for (size_t j = 0; j < 8; j++) {
            void *block = OPAQUE(memalign(OPAQUE((size_t)alignments[i]), OPAQUE(100 + j)));
            CHECK(block != NULL, "memalign(%zu, _) to succeed; saw NULL, errno %d", alignments[i], law_errno());
            CHECK(law_is_aligned(block, power), "memalign(%zu, _) to be aligned to %zu; saw %p", alignments[i], power, block);
            law_fill(block, 100 + j, (unsigned)j);
            blocks[j] = block;
        }
        for (size_t j = 0; j < 8; j++) {
            CHECK(law_intact(blocks[j], 100 + j, (unsigned)j) == 100 + j, "memalign(%zu, _) to give blocks of their own; saw them overlap",
                  alignments[i]);
            free(blocks[j]);
        }
    }
    return 0;
}
