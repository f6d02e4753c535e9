// Nobody waits for a detached thread; it is seen off nevertheless (pthread_detach(3)).
#include "aware.h"

static void *work(void *argument)
{
    use();
    return argument;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    note();
    unsigned cleanups = count(CLEANUPS);
    for (int i = 0; i < 4; i++) {
        CHECK(pthread_create(&thread, &attributes, work, NULL) == 0, "a thread to start; saw an error");
    }
    CHECK(comes_to(INITS, inits_before + 4), "4 threads to be introduced; saw %u", count(INITS) - inits_before);
    for (int i = 0; i < 5000 && count(CLEANUPS) < cleanups + 4; i++) {
        usleep(1000);
    }
    usleep(20000);
    expect(4);
    return 0;
}
