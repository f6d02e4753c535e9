// Live blocks are disjoint, whichever functions and threads they come from (C11 7.22.3).
#include "law.h"
#include <pthread.h>

enum { threads = 4, slots = 300, rounds = 12000 };

static void *work(void *argument)
{
    struct {
        unsigned char *block;
        size_t size;
    } slot[slots] = {{NULL, 0}};
    unsigned seed = (unsigned)(uintptr_t)argument, state = seed * 7919 + 1;
    for (int round = 0; round < rounds; round++) {
        unsigned at = law_random(&state) % slots;
        if (slot[at].block != NULL) {
            size_t intact = law_intact(slot[at].block, slot[at].size, seed + at * threads);
            CHECK(intact == slot[at].size, "a live block of %zu to be intact; saw other bytes after %zu", slot[at].size, intact);
            free(slot[at].block);
        }
        size_t size = law_random(&state) % (law_random(&state) % 50 ? 500 : 20000);
        switch (law_random(&state) % 4) {
        case 0:
            slot[at].block = OPAQUE((unsigned char *)calloc(1, OPAQUE(size)));
            break;
        case 1:
            slot[at].block = OPAQUE((unsigned char *)law_memalign((size_t)8 << law_random(&state) % 6, OPAQUE(size)));
            break;
        default:
            slot[at].block = OPAQUE((unsigned char *)malloc(OPAQUE(size)));
        }
        CHECK(slot[at].block != NULL, "an allocation of %zu to succeed; saw NULL", size);
        slot[at].size = size;
        law_fill(slot[at].block, size, seed + at * threads);
    }
    for (unsigned at = 0; at < slots; at++) {
        if (slot[at].block != NULL) {
            CHECK(law_intact(slot[at].block, slot[at].size, seed + at * threads) == slot[at].size, "a live block to be intact; saw other bytes");
        }
        free(slot[at].block);
    }
    return NULL;
}

int main(void)
{
    pthread_t thread[threads];
    for (uintptr_t i = 0; i < threads; i++) {
        CHECK(pthread_create(&thread[i], NULL, work, (void *)i) == 0, "a thread to start; saw an error");
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
    }
    return 0;
}
