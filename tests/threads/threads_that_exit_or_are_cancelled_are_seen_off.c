// pthread_exit(3), pthread_cancel(3) and thrd_exit(3) end a thread like a return, also in the middle of what it does.
#include "aware.h"

#include <semaphore.h>

static void *leave(void *argument)
{
    use();
    pthread_exit(argument);
}

static void *wait_for_ever(void *argument)
{
    use();
    sem_t *ready = argument;
    sem_post(ready);
    while (argument != NULL) {
        pause();
    }
    return NULL;
}

int main(void)
{
    pthread_t thread;
    void *result;
    sem_t ready;
    note();
    CHECK(pthread_create(&thread, NULL, leave, &result) == 0, "a thread to start; saw an error");
    CHECK(pthread_join(thread, &result) == 0 && result == &result, "what pthread_exit was given; saw another value");
    expect(1);
    sem_init(&ready, 0, 0);
    note();
    CHECK(pthread_create(&thread, NULL, wait_for_ever, &ready) == 0, "a thread to start; saw an error");
    sem_wait(&ready);
    CHECK(pthread_cancel(thread) == 0, "a thread to be cancelled; saw an error");
    CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED, "a cancelled thread; saw another");
    expect(1);
    return 0;
}
