// mallopt(), malloc_trim() and malloc_stats() can be called at any time, return 0 or 1, and the heap works on (mallopt(3), malloc_trim(3), malloc_stats(3)).
//@ symbols = ["mallopt", "malloc_trim", "malloc_stats"]
#include "law.h"

int main(void)
{
    /* malloc_stats() writes to the standard error stream: not into the report of a broken law. */
    int silent = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int shown = fcntl(2, F_DUPFD_CLOEXEC, 10);
    CHECK(silent >= 0 && shown >= 0, "/dev/null to open; saw errno %d", law_errno());
    enum { count = 3000 };
    static void *blocks[count];
    const int parameters[] = {M_MXFAST, M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX};
    const int values[] = {64, 128 * 1024, 64 * 1024, 256 * 1024, 1000, 2};
    for (int round = 0; round < 6; round++) {
        int code = mallopt(parameters[round], values[round]);
        CHECK(code == 0 || code == 1, "mallopt() to return 0 or 1; saw %d", code);
        for (unsigned i = 0; i < count; i++) {
            size_t size = i % 100 ? i % 900 : 300000;
            if (blocks[i] != NULL && i % 3 == (unsigned)round % 3) {
                CHECK(law_intact(blocks[i], 1, i) == 1, "a live block to be intact; saw other bytes");
                free(blocks[i]);
                blocks[i] = NULL;
            }
            if (blocks[i] == NULL) {
                blocks[i] = OPAQUE(malloc(OPAQUE(size + 1)));
                CHECK(blocks[i] != NULL, "malloc(%zu) to succeed; saw NULL", size + 1);
                law_fill(blocks[i], 1, i);
            }
        }
        code = malloc_trim(round % 2 ? 0 : 65536);
        CHECK(code == 0 || code == 1, "malloc_trim() to return 0 or 1; saw %d", code);
        fflush(stderr);
        dup2(silent, 2);
        malloc_stats();
        fflush(stderr);
        dup2(shown, 2);
        for (unsigned i = 0; i < count; i++) {
            CHECK(law_intact(blocks[i], 1, i) == 1, "a live block to survive malloc_trim() and malloc_stats(); saw other bytes");
        }
    }
    int code = mallopt(OPAQUE(123456), 1);
    CHECK(code == 0 || code == 1, "mallopt() of an unknown parameter to return 0 or 1; saw %d", code);
    for (unsigned i = 0; i < count; i++) {
        free(blocks[i]);
    }
    return 0;
}
