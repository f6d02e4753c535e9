/* What the laws on handlers of pthread_atfork() share: handlers that use the heap, and forks while other
 * threads use it too. The laws differ in when the handlers are registered. */
#ifndef FORK_HANDLERS_H
#define FORK_HANDLERS_H

#include "law.h"
#include <pthread.h>

enum { threads = 3 };

static int stop, prepared, in_parent, in_child;

static void use_heap(void)
{
    void *blocks[16];
    for (size_t i = 0; i < 16; i++) {
        blocks[i] = OPAQUE(malloc(OPAQUE(1 + i * 50)));
        CHECK(blocks[i] != NULL, "malloc() in a fork handler to succeed; saw NULL");
        law_fill(blocks[i], 1 + i * 50, 1);
    }
    for (size_t i = 0; i < 16; i++) {
        CHECK(law_intact(blocks[i], 1 + i * 50, 1) == 1 + i * 50, "a block in a fork handler to be intact; saw other bytes");
        blocks[i] = OPAQUE(realloc(blocks[i], OPAQUE(2 + i * 100)));
        CHECK(blocks[i] != NULL, "realloc() in a fork handler to succeed; saw NULL");
        free(blocks[i]);
    }
}

static void prepare(void)
{
    prepared++;
    use_heap();
}

static void parent(void)
{
    in_parent++;
    use_heap();
}

static void child(void)
{
    /* The parent's watch is not the child's. */
    law_watch(NULL, 5);
    in_child++;
    use_heap();
}

static int registered;

static void register_handlers(void)
{
    registered++;
    CHECK(pthread_atfork(prepare, parent, child) == 0, "pthread_atfork() to succeed; saw an error");
}

static void *hammer(void *argument)
{
    (void)argument;
    /* On Linux this is about the calling thread: the children are to get their turn. */
    setpriority(PRIO_PROCESS, 0, 10);
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        free(OPAQUE(malloc(OPAQUE((size_t)100))));
        free(OPAQUE(malloc(OPAQUE((size_t)40000))));
    }
    return NULL;
}

/* Forks, and expects every handler that was registered to run and to use the heap. */
static int fork_with_handlers(void)
{
    /* Where pages cost, each child is a copy of their record. */
    const int forks = law_pays_for_address_space() ? 15 : 60;
    pthread_t thread[threads];
    for (int i = 0; i < threads; i++) {
        CHECK(pthread_create(&thread[i], NULL, hammer, NULL) == 0, "a thread to start; saw an error");
    }
    for (int i = 0; i < forks; i++) {
        /* A handler that waits for the heap's lock while its own thread holds it hangs the parent. */
        law_watch("fork handlers that use the heap", 15);
        pid_t process = fork();
        CHECK(process >= 0, "fork() to succeed; saw errno %d", law_errno());
        if (process == 0) {
            CHECK(in_child == registered, "%d child handlers to run; saw %d", registered, in_child);
            use_heap();
            _exit(0);
        }
        EXPECT_EXIT("a child whose fork handlers use the heap", process, 0);
    }
    CHECK(prepared == forks * registered && in_parent == forks * registered, "%d handlers to run; saw %d and %d", forks * registered, prepared,
          in_parent);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
    }
    return 0;
}

#endif
