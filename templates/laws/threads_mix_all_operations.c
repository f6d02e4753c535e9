// Threads that allocate, resize and free each other's blocks by every function at once get blocks of their own, with their content and alignment kept (C11 7.22.3: the functions act on one heap, and 7.1.4/5: they may be called by several threads).
#include "law.h"
#include <pthread.h>

enum { threads = 4, rounds = 15000, slots = 64 };

/* The first bytes of every block: what is known about the rest. */
struct block {
    size_t size;
    size_t alignment;
    unsigned seed;
};

static struct block *shared[slots];

static struct block *allocate(unsigned *state, size_t size, size_t *alignment)
{
    void *block = NULL;
    *alignment = 1;
    switch (law_random(state) % 9) {
    case 0:
        return (struct block *)malloc(size);
    case 1:
        block = calloc(1, size);
        CHECK(block == NULL || law_zeroed(block, size) == size, "calloc(1, %zu) to be zeroed; saw other bytes", size);
        return (struct block *)block;
    case 2:
        return (struct block *)realloc(NULL, size);
    case 3:
        return (struct block *)realloc(OPAQUE(malloc(1 + law_random(state) % 300)), size);
    case 4:
        *alignment = (size_t)16 << law_random(state) % 9;
        return (struct block *)law_memalign(*alignment, size);
    case 5:
        *alignment = (size_t)16 << law_random(state) % 9;
        return (struct block *)aligned_alloc(*alignment, (size + *alignment - 1) / *alignment * *alignment);
    case 6:
        *alignment = sizeof(void *) << law_random(state) % 10;
        return posix_memalign(&block, *alignment, size) == 0 ? (struct block *)block : NULL;
#if PLATFORM_HAS_REALLOCARRAY
    case 7:
        return (struct block *)reallocarray(OPAQUE(malloc(20)), (size + 6) / 7, 7);
#endif
    default: {
        /* Through the C library. */
        char text[200];
        memset(text, 'x', sizeof text - 1);
        text[size < sizeof text ? size : sizeof text - 1] = 0;
        char *copy = OPAQUE(strdup(OPAQUE((const char *)text)));
        return (struct block *)(copy != NULL ? realloc(copy, size) : NULL);
    }
    }
}

static void is_intact(const struct block *block, size_t size)
{
    CHECK(law_is_aligned(block, block->alignment), "a block to stay aligned to %zu; saw %p", block->alignment, (const void *)block);
    const size_t rest = size - sizeof *block;
    const size_t intact = law_intact(block + 1, rest, block->seed);
    CHECK(intact == rest, "a block of %zu that another thread wrote to be intact; saw %zu bytes kept", size, intact);
}

/* Whoever takes a block out of its slot owns it. */
static void use_up(struct block *block, unsigned *state)
{
    is_intact(block, block->size);
    CHECK(law_room(OPAQUE((void *)block), block->size) >= block->size, "a block to have room for its %zu bytes; saw less", block->size);
    if (law_random(state) % 3 == 0) {
        const size_t size = sizeof *block + law_random(state) % 3000;
        const size_t kept = size < block->size ? size : block->size;
        block = (struct block *)OPAQUE(realloc(block, OPAQUE((size_t)size)));
        CHECK(block != NULL, "realloc() of another thread's block to succeed; saw NULL");
        block->alignment = 1;
        is_intact(block, kept);
    }
    free(block);
}

static void *work(void *argument)
{
    unsigned state = (unsigned)(uintptr_t)argument * 7919 + 1;
    for (unsigned round = 0; round < rounds; round++) {
        size_t alignment;
        const size_t size = sizeof(struct block) + law_random(&state) % (round % 64 ? 600 : 70000);
        struct block *block = OPAQUE(allocate(&state, size, &alignment));
        CHECK(block != NULL, "an allocation of %zu to succeed; saw NULL", size);
        CHECK(law_is_aligned(block, alignment), "a block to be aligned to %zu; saw %p", alignment, (void *)block);
        block->size = size;
        block->alignment = alignment;
        block->seed = round;
        law_fill(block + 1, size - sizeof *block, round);
        struct block **slot = &shared[law_random(&state) % slots];
        block = __atomic_exchange_n(slot, block, __ATOMIC_ACQ_REL);
        if (block != NULL) {
            use_up(block, &state);
        }
    }
    return NULL;
}

int main(void)
{
    pthread_t thread[threads];
    for (int i = 0; i < threads; i++) {
        CHECK(pthread_create(&thread[i], NULL, work, (void *)(uintptr_t)(i + 1)) == 0, "a thread to start; saw an error");
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
    }
    unsigned state = 1;
    for (int i = 0; i < slots; i++) {
        if (shared[i] != NULL) {
            use_up(shared[i], &state);
        }
    }
    return 0;
}
