// A program's constructor, and one of a library before it, may create threads before main.
#include "aware.h"

static void *work(void *argument)
{
    use();
    return argument;
}

__attribute__((constructor)) static void early(void)
{
    pthread_t thread;
    use();
    CHECK(pthread_create(&thread, NULL, work, NULL) == 0 && pthread_join(thread, NULL) == 0, "a thread; saw an error");
}

int main(void)
{
    unsigned ended = count(CLEANUPS) - count(AGAIN);
    CHECK(count(INITS) == 2, "the main thread and another; saw %u", count(INITS));
    CHECK(ended == 1, "a thread to be seen off; saw %u", ended);
    return 0;
}
