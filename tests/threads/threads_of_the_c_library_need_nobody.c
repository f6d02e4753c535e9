// A SIGEV_THREAD timer's threads are made past every public name: where each call looks they are introduced by their first, and else never (timer_create(2)).
#include "aware.h"

#include <semaphore.h>

static sem_t done;

static void tick(union sigval value)
{
    (void)value;
    use();
    sem_post(&done);
}

int main(void)
{
    struct sigevent event = { .sigev_notify = SIGEV_THREAD, .sigev_notify_function = tick };
    struct itimerspec soon = { .it_value = { .tv_nsec = 1000000 } };
    timer_t timer;
    sem_init(&done, 0, 0);
    note();
    unsigned cleanups = count(CLEANUPS);
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
        law_does_not_apply("no timers here");
    }
    CHECK(timer_settime(timer, 0, &soon, NULL) == 0, "a timer to be set; saw an error");
    sem_wait(&done);
    if (!is_required()) {
        usleep(20000);
        expect(0);
        return 0;
    }
    CHECK(count(INITS) > inits_before, "the timer's thread to be introduced; saw it use the heap without");
    for (int i = 0; i < 5000 && count(CLEANUPS) == cleanups; i++) {
        usleep(1000);
    }
#ifdef __GLIBC__ /* musl's own thread for a timer does not end before the timer */
    CHECK(count(CLEANUPS) > cleanups, "the timer's thread to be seen off; saw it end without");
#endif
    return 0;
}
