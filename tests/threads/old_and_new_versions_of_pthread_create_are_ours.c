// Programs ask for pthread_create@GLIBC_2.34, those that were linked before for the CPU's base version: both reach the hooks.
#include "aware.h"

#if !defined __GLIBC__ || !defined __x86_64__ || defined AWARE_WITHIN
int main(void)
{
    law_does_not_apply("two versions of pthread_create are glibc's on this CPU alone, and neither is taken over from within a program");
}
#else
extern int old_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument);
__asm__(".symver old_create, pthread_create@GLIBC_2.2.5");

static void *work(void *argument)
{
    use();
    return argument;
}

int main(void)
{
    pthread_t thread;
    note();
    CHECK(old_create(&thread, NULL, work, NULL) == 0 && pthread_join(thread, NULL) == 0, "a thread; saw an error");
    expect(1);
    CHECK(pthread_create(&thread, NULL, work, NULL) == 0 && pthread_join(thread, NULL) == 0, "a thread; saw an error");
    expect(2);
    return 0;
}
#endif
