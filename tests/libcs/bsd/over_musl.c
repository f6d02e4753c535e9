/* The BSDs' own names, over musl: for libraries that were linked for them and run under musl's dynamic
 * linker, which answers for libc.so.7, libc.so.12 and libpthread.so.1 itself. */
extern int *__errno_location(void);
extern void *mmap64(void *wish, unsigned long size, int protection, int flags, int file, long offset);

int *__error(void) /* FreeBSD */
{
    return __errno_location();
}

int *__errno(void) /* NetBSD */
{
    return __errno_location();
}

extern int sched_yield(void);

int __libc_thr_yield(void) /* NetBSD's sched_yield */
{
    return sched_yield();
}

/* NetBSD's <pthread.h> calls its functions by these names. */
extern int pthread_key_create(unsigned *key, void (*destructor)(void *value));
extern void *pthread_getspecific(unsigned key);
extern int pthread_setspecific(unsigned key, const void *value);

int __libc_thr_keycreate(unsigned *key, void (*destructor)(void *value))
{
    return pthread_key_create(key, destructor);
}

void *__libc_thr_getspecific(unsigned key)
{
    return pthread_getspecific(key);
}

int __libc_thr_setspecific(unsigned key, const void *value)
{
    return pthread_setspecific(key, value);
}

/* MAP_ANON is another bit there; the others that a heap uses are the same. */
void *mmap(void *wish, unsigned long size, int protection, int flags, int file, long offset)
{
    enum { theirs = 0x1000, ours = 0x20 };
    if (flags & theirs)
        flags = (flags & ~theirs) | ours;
    return mmap64(wish, size, protection, flags, file, offset);
}
