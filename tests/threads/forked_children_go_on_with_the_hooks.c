// A child's only thread is the one that forked, introduced as it was; it creates threads and ends like any other (fork(2)).
#include "aware.h"

static void *work(void *argument)
{
    use();
    return argument;
}

static void *fork_here(void *argument)
{
    pthread_t thread;
    use();
    pid_t child = fork();
    if (child == 0) {
        note();
        CHECK(pthread_create(&thread, NULL, work, NULL) == 0 && pthread_join(thread, NULL) == 0, "a thread; saw an error");
        expect(1);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0, "a child that ends well; saw status %d", status);
    return argument;
}

int main(void)
{
    pthread_t thread;
    note();
    fork_here(NULL);
    CHECK(pthread_create(&thread, NULL, fork_here, NULL) == 0 && pthread_join(thread, NULL) == 0, "a thread; saw an error");
    expect(1);
    return 0;
}
