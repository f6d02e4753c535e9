/* Bionic's own names, over musl: for libraries that were linked for Android and run under musl's
 * dynamic linker, which answers for libc.so and libdl.so itself. */
extern int *__errno_location(void);
extern int pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void));

int *__errno(void)
{
    return __errno_location();
}

int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library)
{
    (void)library;
    return pthread_atfork(prepare, parent, child);
}

#ifndef __LP64__
/* bionic's off_t has 32 bits there, musl's 64. The laws are musl's programs and call this as well, with
 * the offset elsewhere: of memory that is no file's it means nothing. */
extern void *mmap64(void *wish, unsigned size, int protection, int flags, int file, long long offset);

void *mmap(void *wish, unsigned size, int protection, int flags, int file, long offset)
{
    return mmap64(wish, size, protection, flags, file, file < 0 ? 0 : offset);
}
#endif
