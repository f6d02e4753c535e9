// Threads that allocate can be created and can end by the thousand, and what they freed is used again (POSIX pthread_create(3); the heap outlives threads).
#include "law.h"
#include <pthread.h>

enum { waves = 600, wave = 4, each = 64 };

static void *work(void *argument)
{
    unsigned seed = (unsigned)(uintptr_t)argument;
    void *blocks[each];
    for (unsigned i = 0; i < each; i++) {
        size_t size = i % 16 ? 16 + i * 24 : 20000;
        blocks[i] = OPAQUE(malloc(OPAQUE(size)));
        CHECK(blocks[i] != NULL, "malloc(%zu) in thread %u to succeed; saw NULL", size, seed);
        memset(blocks[i], 1, size);
        law_fill(blocks[i], 16, seed + i);
    }
    for (unsigned i = 0; i < each; i++) {
        CHECK(law_intact(blocks[i], 16, seed + i) == 16, "a thread's block to be intact; saw other bytes");
        free(blocks[i]);
    }
    /* One block stays for whoever joins. */
    char *last = OPAQUE((char *)malloc(OPAQUE((size_t)100)));
    CHECK(last != NULL, "malloc(100) to succeed; saw NULL");
    law_fill(last, 100, seed);
    return last;
}

static void *idle(void *argument)
{
    return argument;
}

/* Emulators leak something for each thread: then growth says nothing about the heap. */
static int threads_cost_memory(void)
{
    size_t before = law_process_bytes(1);
    for (int i = 0; i < 100; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, idle, NULL) == 0, "a thread to start; saw an error");
        pthread_join(thread, NULL);
    }
    return law_process_bytes(1) > before + ((size_t)4 << 20);
}

int main(void)
{
    size_t resident = 0;
    int meaningful = !threads_cost_memory();
    for (unsigned i = 0; i < waves; i++) {
        pthread_t threads[wave];
        for (unsigned j = 0; j < wave; j++) {
            CHECK(pthread_create(&threads[j], NULL, work, (void *)(uintptr_t)(i * wave + j)) == 0, "thread %u to start; saw an error",
                  i * wave + j);
        }
        for (unsigned j = 0; j < wave; j++) {
            void *last = NULL;
            pthread_join(threads[j], &last);
            CHECK(law_intact(last, 100, i * wave + j) == 100, "a block of an ended thread to be intact; saw other bytes");
            free(last);
        }
        if (i == waves / 10) {
            resident = law_process_bytes(1);
        }
    }
    /* 2100 threads with 130 KiB each make 280 MiB, if nothing is used again. */
    size_t grown = law_process_bytes(1);
    grown = grown > resident ? grown - resident : 0;
    CHECK(!meaningful || grown < (size_t)150 << 20, "memory of ended threads to be used again; saw the process grow by %zu bytes", grown);
    return 0;
}
