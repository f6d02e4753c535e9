// Threads: each way in which one ends, keys whose destructors allocate, blocks that another frees.
#include "check.h"

enum { ROUNDS = 300, KEPT = 16 };
static unsigned long key;
static _Atomic unsigned destructors, wrong, queued;
static __thread int local = 42, untouched;
static void *handed[KEPT];

static void destructor(void *value) {
    destructors++;
    free(value);
    free(malloc(200)); // after the heap's own destructor, or before it
}

static void churn(void) {
    char *kept[KEPT] = {NULL};
    for (unsigned i = 0; i < ROUNDS; i++) {
        char **at = &kept[i % KEPT];
        if (*at && !filled(*at, (char)(i % KEPT), 24)) wrong++;
        free(*at);
        *at = malloc(24 + i % 700);
        if (!ours(*at)) wrong++;
        memset(*at, (char)(i % KEPT), 24);
    }
    for (unsigned i = 0; i < KEPT; i++) free(kept[i]);
    if (local++ < 42 || untouched++ < 0) wrong++;
    if (!pthread_getspecific(key)) pthread_setspecific(key, malloc(40));
}

static void *returns(void *argument) {
    churn();
    for (unsigned i = 0; i < KEPT; i++) handed[i] = malloc(500);
    return argument;
}

static void *exits(void *argument) {
    churn();
    pthread_exit(argument);
}

static _Atomic bool waiting;
static void *is_cancelled(void *argument) {
    churn();
    waiting = true;
    for (;;) usleep(1000);
    return argument;
}

static void on_queue(void *argument) {
    (void)argument;
    churn();
    queued++;
}

// What a shim may use to meet threads at their start; the one that was there is called on.
static _Atomic unsigned starts, ends, early;
static hook_fn *previous;

static void hook(unsigned event, pthread_t thread, void *address, size_t size) {
    starts += event == 2;
    ends += event == 3;
    early += event == 3 && pthread_getspecific(key);
    if (previous) previous(event, thread, address, size);
}

void thread_laws(void) {
    pthread_t threads[3];
    void *result;
    int one, two;
    check(pthread_key_create(&key, destructor) == 0, "there_is_a_key");
    previous = pthread_introspection_hook_install(hook);
    churn();
    check(pthread_create(&threads[0], NULL, returns, &one) == 0, "a_thread_starts");
    pthread_create(&threads[1], NULL, exits, &two);
    pthread_create(&threads[2], NULL, is_cancelled, NULL);
    dispatch_async_f(dispatch_get_global_queue(0, 0), NULL, on_queue);
    while (!waiting) usleep(1000);
    pthread_cancel(threads[2]);
    check(pthread_join(threads[0], &result) == 0 && result == &one, "a_thread_returns");
    check(pthread_join(threads[1], &result) == 0 && result == &two, "a_thread_exits");
    check(pthread_join(threads[2], &result) == 0 && result == (void *)1, "a_thread_is_cancelled");
    for (unsigned i = 0; i < KEPT; i++) {
        if (!ours(handed[i])) wrong++;
        free(handed[i]);
    }
    while (!queued || ends < 4) usleep(1000);
    check(pthread_introspection_hook_install(previous) == hook && starts == 4,
        "the_hook_sees_each_threads_start");
    check(early == 0, "the_hook_sees_a_threads_end_after_its_destructors");
    check(wrong == 0, "threads_allocate");
    check(destructors == 4, "each_threads_key_was_destroyed");
    check(local == 43 && untouched == 1, "thread_locals_are_each_threads_own");
}
