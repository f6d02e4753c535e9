// Handlers of pthread_atfork() that were registered before any library was initialized may allocate and free too, before and after fork() (glibc locks its own heap after all of them; allocators that register handlers of their own break it).
//@ constructors = "ask-to-be-first"
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
    /* The parent's alarm is not the child's. */
    signal(SIGALRM, SIG_DFL);
    alarm(5);
    in_child++;
    use_heap();
}

static int registered;

static void register_handlers(void)
{
    registered++;
    CHECK(pthread_atfork(prepare, parent, child) == 0, "pthread_atfork() to succeed; saw an error");
}

/* What is registered before every constructor runs last before fork(), and first after it. */
__attribute__((section(".preinit_array"), used))
static void (*const register_before_constructors)(void) = register_handlers;

static void hung(int number)
{
    (void)number;
    CHECK(0, "fork handlers to use the heap; saw one hang");
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

int main(void)
{
    /* Where pages cost, each child is a copy of their record. */
    const int forks = law_pays_for_address_space() ? 15 : 60;
    if (registered == 0) {
        law_does_not_apply("nothing runs before the libraries' constructors here");
    }
    /* A handler that waits for the heap's lock while its own thread holds it hangs the parent. */
    signal(SIGALRM, hung);
    alarm(15);
    pthread_t thread[threads];
    for (int i = 0; i < threads; i++) {
        CHECK(pthread_create(&thread[i], NULL, hammer, NULL) == 0, "a thread to start; saw an error");
    }
    for (int i = 0; i < forks; i++) {
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
