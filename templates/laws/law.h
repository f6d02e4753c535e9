/* What every law shares: how a law says that it is broken or does not apply, and how it keeps the
 * compiler from knowing what malloc does. Include it before anything else.
 *
 * A law ends with status 0 (it holds), 1 (broken; stderr says what was expected and what was seen) or
 * 77 (it does not apply here; stdout says why). Nothing in this file allocates: a law must be able to
 * speak when the heap cannot. */
#ifndef LAW_H
#define LAW_H

/* All that the C library has, of every standard and beyond. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifndef _NETBSD_SOURCE
#define _NETBSD_SOURCE
#endif

#ifdef _WIN32
#define __USE_MINGW_ANSI_STDIO 1 /* %zu, whatever the C library is */
#endif

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef _WIN32
#include <io.h>
#include <process.h>
#else
#include <dlfcn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include "platform.h"

/* The value of EXPRESSION, about which the compiler may assume nothing: neither that it came from an
 * allocation function, nor that memory or errno is as it was before. */
#ifdef __cplusplus
template <class Type>
inline Type law_opaque(Type value)
{
    __asm__ __volatile__("" : "+r"(value) : : "memory");
    return value;
}
#define OPAQUE(expression) law_opaque(expression)
#else
#define OPAQUE(expression)                                           \
    (__extension__({                                                 \
        __typeof__(expression) law_value = (expression);             \
        __asm__ __volatile__("" : "+r"(law_value) : : "memory");     \
        law_value;                                                   \
    }))
#endif

/* The message completes the sentence "expected ...; saw ...". */
#define CHECK(condition, ...)                                        \
    do {                                                             \
        if (!(condition)) {                                          \
            law_broken(__FILE__, __LINE__, __VA_ARGS__);             \
        }                                                            \
    } while (0)

#ifdef _WIN32
#define LAW_FORMAT gnu_printf
#else
#define LAW_FORMAT printf
#endif

__attribute__((noreturn, noinline, format(LAW_FORMAT, 3, 4), unused))
static void law_broken(const char *file, int line, const char *format, ...)
{
    char text[1024];
    const char *base = strrchr(file, '/');
    base = base ? base + 1 : file;
    const char *dot = strrchr(base, '.');
    int length = snprintf(text, sizeof text / 2, "%s:%d: %.*s: expected ", base, line,
                          (int)(dot ? dot - base : (ptrdiff_t)strlen(base)), base);
    length = length < (int)(sizeof text / 2) ? length : (int)(sizeof text / 2) - 1;
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(text + length, sizeof text - (size_t)length - 1, format, arguments);
    va_end(arguments);
    length += more < (int)sizeof text - length - 1 ? more : (int)sizeof text - length - 2;
    text[length++] = '\n';
    if (write(2, text, (unsigned)length) < 0) {
        _exit(1);
    }
    _exit(1);
}

__attribute__((noreturn, noinline, unused))
static void law_does_not_apply(const char *reason)
{
    if (write(1, reason, (unsigned)strlen(reason)) < 0 || write(1, "\n", 1) < 0) {
        _exit(77);
    }
    _exit(77);
}

/* Looks up a function that this libc may not have; NULL if it has none. Cast it through intptr_t. */
__attribute__((unused))
static intptr_t law_lookup(const char *name)
{
#ifdef _WIN32
    (void)name; /* names have no global scope there */
    return 0;
#else
    return (intptr_t)dlsym(RTLD_DEFAULT, name);
#endif
}

/* Compilers may assume that free() leaves errno alone, and then never look. */
__attribute__((unused))
static void law_set_errno(int value)
{
    errno = value;
    __asm__ __volatile__("" : : : "memory");
}

__attribute__((unused))
static int law_errno(void)
{
    __asm__ __volatile__("" : : : "memory");
    return errno;
}

#ifndef _WIN32
#define LAW_HAS_ALIGNED 1 /* functions that align blocks which free() takes */
/* memalign(), or what comes next to it where there is none. */
static inline void *law_memalign(size_t alignment, size_t size)
{
#if PLATFORM_HAS_MEMALIGN
    return memalign(alignment, size);
#elif PLATFORM_ALIGNED_ALLOC_TAKES_ANY_SIZE
    return aligned_alloc(alignment, size);
#else
    void *block = NULL;
    int error = posix_memalign(&block, alignment < sizeof block ? sizeof block : alignment, size);
    if (error != 0) {
        errno = error;
    }
    return block;
#endif
}
#endif

/* The bytes that a block has room for: those that were asked for, where nobody says how many more. */
static inline size_t law_room(void *block, size_t asked)
{
#if PLATFORM_HAS_MALLOC_USABLE_SIZE
    (void)asked;
    return malloc_usable_size(block);
#elif PLATFORM_HAS__MSIZE
    (void)asked;
    return _msize(block);
#else
    (void)block;
    return asked;
#endif
}

static inline int law_is_aligned(const void *block, size_t alignment)
{
    return (uintptr_t)block % alignment == 0;
}

/* A pattern in which every byte depends on its place and on the seed. */
static inline unsigned char law_pattern(size_t place, unsigned seed)
{
    return (unsigned char)(place * 31 + (place >> 8) * 7 + seed * 131 + 1);
}

__attribute__((unused))
static void law_fill(void *block, size_t size, unsigned seed)
{
    unsigned char *bytes = (unsigned char *)block;
    for (size_t i = 0; i < size; i++) {
        bytes[i] = law_pattern(i, seed);
    }
}

/* The number of leading bytes that still hold the pattern: `size` if all do. */
__attribute__((unused))
static size_t law_intact(const void *block, size_t size, unsigned seed)
{
    const unsigned char *bytes = (const unsigned char *)block;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != law_pattern(i, seed)) {
            return i;
        }
    }
    return size;
}

/* The number of leading zero bytes: `size` if all are. */
__attribute__((unused))
static size_t law_zeroed(const void *block, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)block;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0) {
            return i;
        }
    }
    return size;
}

/* A small generator, so that every run makes the same calls. */
static inline unsigned law_random(unsigned *state)
{
    unsigned x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* Bytes of address space (field 0) or resident memory (field 1) of this process; 0 if unknown. */
#ifdef _WIN32
/* PROCESS_MEMORY_COUNTERS */
struct law_memory {
    unsigned long size, faults;
    size_t peak_resident, resident, pool[4], committed, peak_committed;
};
#ifdef __cplusplus
extern "C"
#endif
__declspec(dllimport) int __stdcall K32GetProcessMemoryInfo(void *process, struct law_memory *memory, unsigned long size);

__attribute__((unused))
static size_t law_process_bytes(int field)
{
    struct law_memory memory;
    void *const this_process = (void *)(intptr_t)-1;
    if (!K32GetProcessMemoryInfo(this_process, &memory, sizeof memory)) {
        return 0;
    }
    return field == 1 ? memory.resident : memory.committed;
}
#else
__attribute__((unused))
static size_t law_process_bytes(int field)
{
    char text[128];
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return 0;
    }
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) {
        return 0;
    }
    text[length] = 0;
    char *at = text;
    unsigned long pages = strtoul(at, &at, 10);
    if (field == 1) {
        pages = strtoul(at, &at, 10);
    }
    return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}
#endif

/* ---- POSIX alone: laws that are written in standard C have no use for the rest ---- */
#ifndef _WIN32

/* Whether reserved address space costs memory and time: qemu's user mode (before 8) keeps a record of
 * every page. */
__attribute__((unused))
static int law_pays_for_address_space(void)
{
    const size_t reserved = (size_t)1 << 28;
    size_t before = law_process_bytes(1);
    void *space = mmap(NULL, reserved, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t after = law_process_bytes(1);
    if (space != MAP_FAILED) {
        munmap(space, reserved);
    }
    return before != 0 && after > before + reserved / 1024;
}

static volatile sig_atomic_t law_seconds_given, law_seconds_left;
static const char *volatile law_watched;

__attribute__((unused))
static void law_tick(int number)
{
    law_seconds_left = law_seconds_left - 1;
    if (law_seconds_left > 0) {
        return;
    }
    CHECK(law_watched == NULL, "%s to go on; saw it hang", law_watched);
    signal(number, SIG_DFL);
    raise(number); /* as soon as this handler returns */
}

/* From here, WHAT is to end in so many seconds; else the law is broken. Without a name the process ends
 * by SIGALRM: a child, of which its parent tells. Call it again for what comes next, or with 0 to end it.
 * A second counts when the process comes to count it: on a machine that is busy elsewhere they are longer. */
__attribute__((unused))
static void law_watch(const char *what, int seconds)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = law_tick;
    action.sa_flags = SA_RESTART;
    law_watched = what;
    law_seconds_given = law_seconds_left = seconds;
    sigaction(SIGALRM, &action, NULL);
    const int every = seconds > 0;
    const struct itimerval second = {{every, 0}, {every, 0}};
    setitimer(ITIMER_REAL, &second, NULL);
}

/* Waits for a child that is to exit with STATUS. One that takes 10 seconds hangs, and is ended. */
__attribute__((unused))
static void law_expect_exit(const char *file, int line, const char *what, pid_t child, int expected)
{
    const struct timespec pause = {0, 200000};
    for (int tries = 0; tries < 50000; tries++) {
        law_seconds_left = law_seconds_given; /* it is the child that may hang */
        int status = 0;
        pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child || (ended < 0 && errno != EINTR)) {
            if (ended == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
                law_broken(file, line, "%s to end; saw it hang", what);
            }
            if (ended < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != expected) {
                law_broken(file, line, "%s to exit with %d; saw wait status %#x", what, expected, (unsigned)status);
            }
            return;
        }
        nanosleep(&pause, NULL);
    }
    kill(child, SIGKILL);
    law_broken(file, line, "%s to end; saw it hang", what);
}

#define EXPECT_EXIT(what, child, status) law_expect_exit(__FILE__, __LINE__, what, child, status)

/* Lets the address space grow by `more` bytes at most. Says 77 where the system does not enforce that
 * (emulators do not). */
__attribute__((unused))
static void law_limit_address_space(size_t more)
{
    size_t now = law_process_bytes(0);
    if (now == 0) {
        law_does_not_apply("/proc/self/statm cannot be read");
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0) {
        law_does_not_apply("RLIMIT_AS cannot be read");
    }
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < (rlim_t)(now + more)) {
        law_does_not_apply("the address space is limited already");
    }
    limit.rlim_cur = (rlim_t)(now + more);
    if (setrlimit(RLIMIT_AS, &limit) != 0) {
        law_does_not_apply("RLIMIT_AS cannot be set");
    }
    void *probe = mmap(NULL, more + (1 << 20), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (probe != MAP_FAILED) {
        munmap(probe, more + (1 << 20));
        law_does_not_apply("RLIMIT_AS is not enforced here");
    }
}

__attribute__((unused))
static void law_lift_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_AS, &limit);
    }
}

#endif /* _WIN32 */

#endif
