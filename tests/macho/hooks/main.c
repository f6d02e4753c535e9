// hooks advisory|required: what the heaps of tests/fixtures/heaps/thread_aware.c are told of threads
// here, however these begin and end.
#include "../client/darwin.h"

enum { INITS, CLEANUPS, AGAIN, AFTER, BLOCKS, CREATED };
typedef unsigned counter(int what);
static counter *count;
static bool required;
static unsigned checks, failed;
static unsigned long early, late, plain;
static _Atomic unsigned queued, waiting, rounds, kept;

static void put(const char *text) {
    if (write(1, text, strlen(text)) < 0) _exit(3);
}

static void put_number(unsigned number) {
    char digits[12], *at = digits + sizeof digits - 1;
    *at = 0;
    do *--at = (char)('0' + number % 10);
    while (number /= 10);
    put(at);
}

static void check(bool holds, const char *law) {
    checks++;
    if (holds) return;
    failed++;
    put("FAIL ");
    put(law);
    put("\n");
}

static void use(void) {
    char *block = malloc(100);
    block[0] = 1;
    free(realloc(block, 3000));
}

// Keys whose destructors use the heap: one before the shim's key, or after it, and in each round.
static void uses_the_heap(void *value) {
    use();
    void *block = NULL;
    if (posix_memalign(&block, 64, 64) == 0) free(block);
    kept += pthread_getspecific(plain) != NULL && rounds > 0;
    if (value != &late) return;
    rounds++;
    pthread_setspecific(late, value);
}

static void work(void) {
    use();
    pthread_setspecific(early, &early);
    pthread_setspecific(plain, &plain);
}

static void *returns(void *argument) {
    work();
    return argument;
}

static void *exits(void *argument) {
    work();
    pthread_exit(argument);
}

static void *is_cancelled(void *argument) {
    work();
    waiting++;
    for (;;) usleep(1000);
    return argument;
}

static void on_queue(void *argument) {
    (void)argument;
    work();
    queued++;
}

static void *does_nothing(void *argument) {
    return argument;
}

static void *comes_late(void *argument) {
    pthread_setspecific(early, &early);
    return argument;
}

static void *comes_again(void *argument) {
    work();
    pthread_setspecific(late, &late);
    return argument;
}

// What a cleanup does comes after a thread can no longer be seen by the one that waits for it.
static unsigned ended(void) {
    return count(CLEANUPS) - count(AGAIN);
}

static bool comes_to(unsigned number) {
    for (int i = 0; i < 3000 && ended() != number; i++) usleep(1000);
    return ended() == number;
}

static void one(void *(*function)(void *), bool cancel, const char *introduced, const char *seen_off) {
    unsigned before = count(INITS), gone = ended();
    pthread_t thread;
    bool told = function != does_nothing || !required;
    waiting = 0;
    check(pthread_create(&thread, NULL, function, NULL) == 0, "a_thread_starts");
    while (cancel && !waiting) usleep(1000);
    if (cancel) pthread_cancel(thread);
    pthread_join(thread, NULL);
    check(count(INITS) == before + told, introduced);
    check(comes_to(gone + told), seen_off);
}

static void a_queue(void) {
    unsigned before = count(INITS), gone = ended();
    dispatch_async_f(dispatch_get_global_queue(0, 0), NULL, on_queue);
    while (!queued) usleep(1000);
    check(comes_to(gone + 1), "a_queues_thread_is_seen_off");
    check(count(INITS) == before + 1, "a_queues_thread_is_introduced");
}

// A hook of the program's own, which calls on the one that was there.
static hook_fn *previous;
static _Atomic unsigned starts;

static void hook(unsigned event, pthread_t thread, void *address, size_t size) {
    starts += event == 2;
    if (previous) previous(event, thread, address, size);
}

static void a_child(void) {
    unsigned before = count(INITS);
    int status = -1, child = fork();
    if (child == 0) {
        use();
        if (count(INITS) != before) _exit(1);
        pthread_t thread;
        if (pthread_create(&thread, NULL, returns, NULL) != 0) _exit(2);
        pthread_join(thread, NULL);
        _exit(count(INITS) == before + 1 ? 0 : 3);
    }
    check(waitpid(child, &status, 0) == child && status == 0, "a_forked_child_goes_on_with_the_hooks");
}

int main(int argc, char **argv) {
    if (argc < 2) return 2;
    required = strcmp(argv[1], "required") == 0;
    count = (counter *)(uintptr_t)dlsym((void *)-2, "aware_count");
    if (!count) return 2;
    use();
    check(count(CREATED) == 1, "the_flag_is_set_before_there_are_other_threads");
    check(count(INITS) == 1 && count(CLEANUPS) == 0, "the_main_thread_is_introduced");
    pthread_key_create(&early, uses_the_heap);
    pthread_key_create(&late, uses_the_heap);
    pthread_key_create(&plain, NULL);
    one(returns, false, "a_thread_that_returns_is_introduced", "a_thread_that_returns_is_seen_off");
    one(exits, false, "a_thread_that_exits_is_introduced", "a_thread_that_exits_is_seen_off");
    one(is_cancelled, true, "a_thread_that_is_cancelled_is_introduced",
        "a_thread_that_is_cancelled_is_seen_off");
    one(does_nothing, false, "a_thread_without_the_heap_is_told_of_by_advisory_hooks_alone",
        "so_is_its_end");
    a_queue();
    one(comes_late, false, "a_thread_may_first_come_in_a_keys_destructor", "and_is_seen_off_all_the_same");
    one(comes_again, false, "a_thread_is_introduced_once", "what_comes_after_the_cleanup_is_harmless");
    check(rounds == 4, "the_destructors_run_in_four_rounds");
    check(kept == 0, "a_key_without_a_destructor_loses_its_value_too");
    // Else nothing came after a cleanup, and nothing was shown.
    check(count(required ? AGAIN : AFTER) > 0, "something_comes_after_the_cleanup");
    check(!required || count(AFTER) == 0, "no_call_comes_to_a_heap_that_saw_the_thread_off");
    previous = pthread_introspection_hook_install(hook);
    one(returns, false, "hooks_form_a_chain", "and_ends_are_seen_through_it");
    check(starts == 1, "the_programs_own_hook_is_called");
    check((previous != NULL) == !required, "only_advisory_hooks_ask_the_system");
    a_child();
    put("hooks: ");
    put_number(checks);
    put(" checks, ");
    put_number(failed);
    put(" failed\n");
    return failed != 0;
}
