/* What the NDK links before every library: bionic's libc.so itself has no pthread_atfork on most CPUs. */
#define HIDDEN __attribute__((visibility("hidden")))
extern int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library);
HIDDEN void *__dso_handle = &__dso_handle;
HIDDEN int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
    return __register_atfork(prepare, parent, child, &__dso_handle);
}
