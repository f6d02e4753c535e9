// A main thread that ends by pthread_exit(3) while others go on is a thread that ends.
#include "aware.h"

static pthread_t main_thread;

static void *work(void *argument)
{
    use();
    CHECK(pthread_join(main_thread, NULL) == 0, "the main thread to end; saw an error");
    unsigned ended = count(CLEANUPS) - count(AGAIN);
    CHECK(ended == 1, "the main thread to be seen off; saw %u", ended);
    use();
    _exit(0);
    return argument;
}

int main(void)
{
    pthread_t thread;
    use();
    main_thread = pthread_self();
    CHECK(pthread_create(&thread, NULL, work, NULL) == 0, "a thread to start; saw an error");
    pthread_exit(NULL);
}
