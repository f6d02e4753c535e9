// 300 threads at a time, each on the smallest stack that the C library gives (PTHREAD_STACK_MIN).
#include "aware.h"

static pthread_barrier_t all;

static void *work(void *argument)
{
    use();
    pthread_barrier_wait(&all);
    use();
    return argument;
}

int main(void)
{
    enum { many = 300 };
    pthread_attr_t attributes;
    pthread_t threads[many];
    pthread_attr_init(&attributes);
    size_t smallest = (size_t)sysconf(_SC_THREAD_STACK_MIN);
    if ((ptrdiff_t)smallest < PTHREAD_STACK_MIN) {
        smallest = PTHREAD_STACK_MIN;
    }
    CHECK(pthread_attr_setstacksize(&attributes, smallest) == 0, "the smallest stack; saw an error");
    pthread_barrier_init(&all, NULL, many);
    note();
    for (int i = 0; i < many; i++) {
        CHECK(pthread_create(&threads[i], &attributes, work, NULL) == 0, "thread %d to start; saw an error", i);
    }
    for (int i = 0; i < many; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0, "thread %d to end; saw an error", i);
    }
    expect(many);
    return 0;
}
