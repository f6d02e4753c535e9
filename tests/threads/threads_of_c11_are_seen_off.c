// thrd_create(3) makes threads without pthread_create's public name; its start function returns an int.
#include "aware.h"

#include <threads.h>

static int work(void *argument)
{
    use();
    return *(int *)argument;
}

static int leave(void *argument)
{
    use();
    thrd_exit(*(int *)argument);
}

int main(void)
{
    thrd_start_t starts[] = { work, leave };
    int value = -42, result;
    note();
    for (unsigned i = 0; i < 2; i++) {
        thrd_t thread;
        CHECK(thrd_create(&thread, starts[i], &value) == thrd_success, "a thread to start; saw an error");
        CHECK(thrd_join(thread, &result) == thrd_success && result == -42, "-42; saw %d", result);
    }
    expect(2);
    CHECK(count(CREATED) == 1, "the heap to know that there are threads; saw the flag clear");
    return 0;
}
