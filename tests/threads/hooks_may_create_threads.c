// A heap's thread_init may create threads itself, and these are introduced like others.
#include "aware.h"

static void *work(void *argument)
{
    use();
    return argument;
}

int main(void)
{
    pthread_t thread;
    unsigned *nest = how_many_nest();
    CHECK(nest != NULL, "the heap that counts threads; saw another");
    note();
    *nest = 3;
    CHECK(pthread_create(&thread, NULL, work, NULL) == 0 && pthread_join(thread, NULL) == 0, "a thread; saw an error");
    /* Threads that use no heap are nobody to the strict one. */
    expect(is_required() ? 1 : 4);
    return 0;
}
