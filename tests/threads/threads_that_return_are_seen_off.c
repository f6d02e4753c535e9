// Each thread is introduced before it runs and seen off after it has returned; a thread that uses no heap is introduced only where a hook does that.
#include "aware.h"

static void *work(void *argument)
{
    use();
    return argument;
}

static void *idle(void *argument)
{
    return argument;
}

int main(void)
{
    pthread_t threads[8], thread;
    CHECK(count(CREATED) <= WITHIN, "no thread before the first; saw the flag set");
    note();
    for (uintptr_t i = 0; i < 8; i++) {
        CHECK(pthread_create(&threads[i], NULL, work, (void *)i) == 0, "a thread to start; saw an error");
    }
    CHECK(count(CREATED) == 1, "the heap to know that there are threads; saw the flag clear");
    for (uintptr_t i = 0; i < 8; i++) {
        void *result;
        CHECK(pthread_join(threads[i], &result) == 0 && result == (void *)i, "what the thread returned; saw another value");
    }
    expect(8);
    note();
    CHECK(pthread_create(&thread, NULL, idle, NULL) == 0 && pthread_join(thread, NULL) == 0, "a thread; saw an error");
    expect(is_required() ? 0 : 1);
    return 0;
}
