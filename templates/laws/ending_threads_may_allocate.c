// A thread may allocate and free until its very end: in destructors of its keys, also late rounds, in cleanup handlers after pthread_exit() and cancellation, and in libc's own clean-up (pthread_key_create(3), pthread_cleanup_push(3)).
#include "law.h"
#include <pthread.h>

static pthread_key_t early, late;
static int destroyed;

static void *fresh(size_t size)
{
    void *block = OPAQUE(malloc(OPAQUE(size)));
    CHECK(block != NULL, "malloc(%zu) in an ending thread to succeed; saw NULL", size);
    law_fill(block, size, 7);
    return block;
}

static void use_heap(void)
{
    void *blocks[20];
    for (size_t i = 0; i < 20; i++) {
        blocks[i] = fresh(1 + i * 97);
    }
    for (size_t i = 0; i < 20; i++) {
        CHECK(law_intact(blocks[i], 1 + i * 97, 7) == 1 + i * 97, "a block in an ending thread to be intact; saw other bytes");
        blocks[i] = OPAQUE(realloc(blocks[i], OPAQUE(i * 200 + 1)));
        CHECK(blocks[i] != NULL, "realloc() in an ending thread to succeed; saw NULL");
        free(blocks[i]);
    }
}

/* The value is a block whose first byte counts the rounds; it is destroyed again until none is left. */
static void destroy(pthread_key_t key, unsigned char *block)
{
    use_heap();
    unsigned char rounds = block[0];
    free(block);
    if (rounds < 3) {
        block = (unsigned char *)fresh(64);
        block[0] = (unsigned char)(rounds + 1);
        pthread_setspecific(key, block);
    } else {
        __atomic_fetch_add(&destroyed, 1, __ATOMIC_RELAXED);
    }
}

static void destroy_early(void *block)
{
    destroy(early, (unsigned char *)block);
}

static void destroy_late(void *block)
{
    destroy(late, (unsigned char *)block);
}

static void clean_up(void *block)
{
    CHECK(law_intact(block, 300, 7) == 300, "the cleanup handler's block to be intact; saw other bytes");
    use_heap();
    free(block);
}

static void *work(void *argument)
{
    unsigned char *first = (unsigned char *)fresh(64), *second = (unsigned char *)fresh(64);
    first[0] = second[0] = 1;
    pthread_setspecific(early, first);
    pthread_setspecific(late, second);
    /* dlerror() keeps its text in a block that libc frees when the thread ends. */
    CHECK(dlsym(RTLD_DEFAULT, "no_such_function_exists_anywhere") == NULL, "no such function; saw one");
    void *block = fresh(300);
    pthread_cleanup_push(clean_up, block);
    switch ((uintptr_t)argument % 3) {
    case 0:
        pthread_exit(NULL);
    case 1:
        for (;;) {
            /* Ended by pthread_cancel(); allocation is no cancellation point that could leave the heap broken. */
            use_heap();
            pthread_testcancel();
        }
    }
    pthread_cleanup_pop(1);
    return NULL;
}

/* Its first blocks of many sizes: what a heap asks of the system then may be no cancellation point either. */
static void *allocate_while_cancelled(void *allocated)
{
    pthread_cancel(pthread_self());
    use_heap();
    *(int *)allocated = 1;
    for (;;) {
        pthread_testcancel();
    }
    return NULL;
}

int main(void)
{
    enum { count = 300 };
    pthread_t cancelled;
    int allocated = 0;
    CHECK(pthread_create(&cancelled, NULL, allocate_while_cancelled, &allocated) == 0, "a thread to start; saw an error");
    pthread_join(cancelled, NULL);
    CHECK(allocated == 1, "malloc() and free() to be no cancellation points; saw the thread end in one");
    CHECK(pthread_key_create(&early, destroy_early) == 0 && pthread_key_create(&late, destroy_late) == 0, "two keys; saw an error");
    for (uintptr_t i = 0; i < count; i += 3) {
        pthread_t threads[3];
        for (uintptr_t j = 0; j < 3; j++) {
            CHECK(pthread_create(&threads[j], NULL, work, (void *)j) == 0, "a thread to start; saw an error");
        }
        CHECK(pthread_cancel(threads[1]) == 0, "a thread to be cancelled; saw an error");
        for (int j = 0; j < 3; j++) {
            pthread_join(threads[j], NULL);
        }
        use_heap();
    }
    /* A thread cancelled before it began has no values to destroy. */
    CHECK(destroyed >= count / 3 * 2 * 2, "every value to be destroyed after three rounds; saw %d of at least %d", destroyed,
          count / 3 * 2 * 2);
    return 0;
}
