// The child of fork() may allocate and free although other threads of the parent used the heap (no standard asks for it; glibc, musl and bionic do it, and programs rely on it).
#include "law.h"
#include <pthread.h>

enum { threads = 4 };

static int stop;

static void *hammer(void *argument)
{
    unsigned state = (unsigned)(uintptr_t)argument * 2654435761u + 1;
    void *blocks[64] = {NULL};
    /* On Linux this is about the calling thread: the children are to get their turn. */
    setpriority(PRIO_PROCESS, 0, 10);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        unsigned at = law_random(&state) % 64;
        free(blocks[at]);
        blocks[at] = OPAQUE(malloc(OPAQUE((size_t)(law_random(&state) % (at ? 700 : 70000)))));
        CHECK(blocks[at] != NULL, "malloc() to succeed; saw NULL");
    }
    for (int i = 0; i < 64; i++) {
        free(blocks[i]);
    }
    return NULL;
}

static void use_heap(unsigned seed, int count)
{
    void *blocks[50] = {NULL};
    unsigned state = seed + 1;
    for (int i = 0; i < count; i++) {
        unsigned at = law_random(&state) % 50;
        size_t size = law_random(&state) % (i % 30 ? 800 : 80000);
        blocks[at] = OPAQUE(blocks[at] ? realloc(blocks[at], OPAQUE(size + 1)) : malloc(OPAQUE(size + 1)));
        CHECK(blocks[at] != NULL, "an allocation in a child to succeed; saw NULL");
        law_fill(blocks[at], size < 64 ? size : 64, seed);
    }
    for (int i = 0; i < 50; i++) {
        free(blocks[i]);
    }
}

int main(void)
{
    /* Where pages cost, each child is a copy of their record. */
    const unsigned forks = law_pays_for_address_space() ? 40 : 200;
    pthread_t thread[threads];
    for (uintptr_t i = 0; i < threads; i++) {
        CHECK(pthread_create(&thread[i], NULL, hammer, (void *)i) == 0, "a thread to start; saw an error");
    }
    for (unsigned i = 0; i < forks; i++) {
        void *before = OPAQUE(malloc(500));
        CHECK(before != NULL, "malloc() to succeed; saw NULL");
        law_fill(before, 500, i);
        pid_t child = fork();
        CHECK(child >= 0, "fork() to succeed; saw errno %d", law_errno());
        if (child == 0) {
            /* Whoever waits for a lock that no thread of the child holds is ended by this, if not by the parent. */
            law_watch(NULL, 5);
            CHECK(law_intact(before, 500, i) == 500, "the parent's block to be intact in the child; saw other bytes");
            free(before);
            use_heap(i, 100);
            if (i % 10 == 0) {
                pid_t grandchild = fork();
                if (grandchild == 0) {
                    law_watch(NULL, 5);
                    use_heap(i, 100);
                    _exit(0);
                }
                EXPECT_EXIT("a grandchild that uses the heap", grandchild, 0);
            }
            _exit(0);
        }
        EXPECT_EXIT("a child that uses the heap", child, 0);
        CHECK(law_intact(before, 500, i) == 500, "the parent's block to be intact after fork(); saw other bytes");
        free(before);
        use_heap(i, 20);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
    }
    return 0;
}
