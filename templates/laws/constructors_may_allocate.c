// Code that runs before main() may allocate: constructors of any priority and, on glibc, what runs before all constructors; main() may resize and free it (System V ABI, "Initialization and Termination Functions").
#include "law.h"

enum { stages = 3, each = 40 };

static void *blocks[stages][each];
static int reached[stages];

static void *allocate(unsigned i)
{
    void *block = NULL;
    switch (i % 5) {
    case 0:
        return malloc(10 + i);
    case 1:
        return calloc(1, 10 + i);
    case 2:
        return law_memalign(64, 10 + i);
    case 3:
        return posix_memalign(&block, 32, 10 + i) == 0 ? block : NULL;
    default:
        return realloc(NULL, 10 + i);
    }
}

static void run(unsigned stage)
{
    reached[stage] = 1;
    for (unsigned i = 0; i < each; i++) {
        blocks[stage][i] = OPAQUE(allocate(i));
        CHECK(blocks[stage][i] != NULL, "an allocation before main() to succeed; saw NULL");
        law_fill(blocks[stage][i], 10 + i, i);
        free(OPAQUE(strdup("freed before main()")));
    }
    law_set_errno(0);
    void *huge = OPAQUE(malloc(OPAQUE(SIZE_MAX - 100)));
    CHECK(huge == NULL && law_errno() == ENOMEM, "a failure before main() to set ENOMEM; saw %p, errno %d", huge, law_errno());
}

#ifdef __ELF__
static void before_constructors(void)
{
    run(0);
}

__attribute__((section(".preinit_array"), used))
static void (*const before_constructors_entry)(void) = before_constructors;
#endif

__attribute__((constructor(101)))
static void first_constructor(void)
{
    run(1);
}

__attribute__((constructor))
static void constructor(void)
{
    run(2);
}

int main(void)
{
    CHECK(reached[1] && reached[2], "the constructors to run; saw %d and %d", reached[1], reached[2]);
    for (unsigned stage = 0; stage < stages; stage++) {
        for (unsigned i = 0; reached[stage] && i < each; i++) {
            CHECK(law_intact(blocks[stage][i], 10 + i, i) == 10 + i, "a block from before main() to be intact; saw other bytes");
            if (i % 2) {
                blocks[stage][i] = OPAQUE(realloc(blocks[stage][i], 1000));
                CHECK(blocks[stage][i] != NULL && law_intact(blocks[stage][i], 10 + i, i) == 10 + i,
                      "a block from before main() to be resized; saw %p", blocks[stage][i]);
            }
            free(blocks[stage][i]);
        }
    }
    return 0;
}
