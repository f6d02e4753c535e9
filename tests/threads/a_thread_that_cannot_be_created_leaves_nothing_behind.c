// Where pthread_create(3) fails nobody is introduced, nothing is kept, and the error is the C library's own.
#include "aware.h"

static void *work(void *argument)
{
    return argument;
}

int main(void)
{
    pthread_attr_t attributes;
    pthread_t thread;
    /* Past what is made once. */
    CHECK(pthread_create(&thread, NULL, work, NULL) == 0 && pthread_join(thread, NULL) == 0, "a thread; saw an error");
    pthread_attr_init(&attributes);
    /* 3 GiB of 4, or what no machine has; musl refuses at once what is more than a quarter of it. */
    if (pthread_attr_setstacksize(&attributes, SIZE_MAX / 4 * 3 & ~(size_t)0xffff) != 0) {
        CHECK(pthread_attr_setstacksize(&attributes, SIZE_MAX / 4 & ~(size_t)0xffff) == 0, "a huge stack; saw an error");
    }
    note();
    unsigned blocks = count(BLOCKS);
    for (int i = 0; i < 5; i++) {
        int error = pthread_create(&thread, &attributes, work, NULL);
        CHECK(error == EAGAIN || error == ENOMEM || error == EINVAL, "no room for the stack; saw %d", error);
    }
    CHECK(count(BLOCKS) == blocks, "as many blocks as before; saw %d more", (int)(count(BLOCKS) - blocks));
    expect(0);
    return 0;
}
