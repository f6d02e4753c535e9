// What else programs call of libSystem, where Linux's function of the same name would not do: other
// numbers, other structures, or memory that comes from the public malloc.
#define _GNU_SOURCE
#include "thread.h"
#include "zones.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#if defined(__aarch64__)
unsigned long vm_page_size = 0x4000;
#else
unsigned long vm_page_size = 0x1000;
#endif
unsigned long vm_page_mask, stack_guard = 0x00a5c3d2e1f0b487;
unsigned task_self = 0x103;
FILE *standard_out, *standard_error;

static long result(long value) {
    if (value < 0) *darwin_errno() = to_darwin(errno);
    return value;
}

static size_t pages(size_t size) {
    return (size + vm_page_size - 1) & ~(vm_page_size - 1);
}

// Anonymous memory that begins at a page of Darwin's, which may be four of Linux's.
static void *map_aligned(void *hint, size_t size, int protection, int flags) {
    size_t more = vm_page_size - 0x1000;
    char *room = mmap(more ? NULL : hint, size + more, protection, flags, -1, 0);
    if (room == MAP_FAILED || !more) return room;
    char *from = (char *)pages((uintptr_t)room);
    if (from > room) munmap(room, (size_t)(from - room));
    if (more > (size_t)(from - room)) munmap(from + size, more - (size_t)(from - room));
    return from;
}

void *darwin_mmap(size_t size) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *room = map_aligned(NULL, pages(size), PROT_READ | PROT_WRITE, flags);
    return room == MAP_FAILED ? NULL : room;
}

// <sys/mman.h>: MAP_ANON is 0x1000, MAP_NORESERVE 0x40, and the descriptor of anonymous memory is a tag for
// tools, not -1.
void *sys_mmap(void *hint, size_t size, int protection, int flags, int fd, long offset) {
    int linux_flags = flags & 0x13; // shared, private, fixed
    bool anonymous = flags & 0x1000, fixed = flags & 0x10;
    if (anonymous) linux_flags |= MAP_ANONYMOUS | MAP_NORESERVE; // as MAP_NORESERVE (0x40) or not: Darwin sets none aside
    void *at = anonymous && !fixed ? map_aligned(hint, pages(size), protection, linux_flags)
                                   : mmap(hint, size, protection, linux_flags, anonymous ? -1 : fd, offset);
    if (at == MAP_FAILED) *darwin_errno() = to_darwin(errno);
    return at;
}

int sys_munmap(void *at, size_t size) {
    return (int)result(munmap(at, pages(size)));
}

int sys_mprotect(void *at, size_t size, int protection) {
    return (int)result(mprotect(at, size, protection));
}

// MADV_FREE (5) and MADV_FREE_REUSABLE (7): the contents may be gone. The others change nothing here.
int sys_madvise(void *at, size_t size, int advice) {
    return advice == 5 || advice == 7 ? (int)result(madvise(at, size, MADV_DONTNEED)) : 0;
}

int sys_getpagesize(void) {
    return (int)vm_page_size;
}

long sys_sysconf(int name) {
    if (name == 29) return (long)vm_page_size;                          // _SC_PAGESIZE
    if (name == 57 || name == 58) return sysconf(_SC_NPROCESSORS_ONLN); // _SC_NPROCESSORS_CONF, _ONLN
    *darwin_errno() = DARWIN_EINVAL;
    return -1;
}

long sys_pathconf(const char *path, int name) {
    (void)path, (void)name;
    *darwin_errno() = DARWIN_EINVAL;
    return -1;
}

int sys_sysctl(void) {
    *darwin_errno() = 78; // ENOSYS
    return -1;
}

int sys_task_info(void) {
    return 5; // KERN_FAILURE
}

// A task is named by its process here, one's own by mach_task_self too.
int sys_mach_vm_read_overwrite(unsigned task, uintptr_t from, size_t size, uintptr_t to, size_t *read) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%u/mem", task == task_self ? (unsigned)getpid() : task);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t done = 0;
    ssize_t step = 1;
    for (; fd >= 0 && done < size && step > 0; done += step > 0 ? (size_t)step : 0)
        step = pread(fd, (char *)to + done, size - done, (off_t)(from + done));
    if (fd >= 0) close(fd);
    *read = done;
    return done == size ? 0 : 1; // KERN_INVALID_ADDRESS
}

int sys_mach_vm_allocate(unsigned task, uintptr_t *address, size_t size, int flags) {
    void *room = task == task_self && flags & 1 ? darwin_mmap(size) : NULL; // VM_FLAGS_ANYWHERE alone
    *address = (uintptr_t)room;
    return room ? 0 : 3; // KERN_NO_SPACE
}

// Memory of its own alone, anywhere, where the mask's bits are zero.
int sys_mach_vm_map(unsigned task, uintptr_t *address, size_t size, uintptr_t mask, int flags, unsigned object,
                    uint64_t offset, int copy, int protection, int most, unsigned inherit) {
    (void)offset, (void)copy, (void)most, (void)inherit;
    if (task != task_self || !(flags & 1) || object != 0) return 4; // KERN_INVALID_ARGUMENT
    size = pages(size);
    char *room = darwin_mmap(size + mask);
    if (room == NULL) return 3; // KERN_NO_SPACE
    char *at = (char *)(((uintptr_t)room + mask) & ~mask), *end = room + pages(size + mask);
    if (at != room) munmap(room, (size_t)(at - room));
    if (at + size != end) munmap(at + size, (size_t)(end - (at + size)));
    mprotect(at, size, protection & 7);
    *address = (uintptr_t)at;
    return 0;
}

int sys_mach_vm_deallocate(unsigned task, uintptr_t address, size_t size) {
    return task == task_self && munmap((void *)address, pages(size)) == 0 ? 0 : 4; // KERN_INVALID_ARGUMENT
}

int sys_getrusage(int who, void *usage) {
    (void)who;
    memset(usage, 0, 144);
    return 0;
}

int sys_clock_gettime(int clock, struct timespec *time) {
    return (int)result(
        clock_gettime(clock == 0 ? CLOCK_REALTIME : CLOCK_MONOTONIC, time)); // 4 to 9 are monotonic
}

uint64_t sys_mach_absolute_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int sys_random_bytes(void *bytes, size_t count) {
    return getrandom(bytes, count, 0) == (ssize_t)count ? 0 : -1;
}

int sys_getentropy(void *bytes, size_t count) {
    return sys_random_bytes(bytes, count);
}

void sys_arc4random_buf(void *bytes, size_t count) {
    if (sys_random_bytes(bytes, count)) fault("no random bytes");
}

// For reading and writing of what is there: other flags have other numbers, and a mode is passed in another
// way.
int sys_open(const char *path, int flags) {
    if (flags & ~(3 | 0x1000000)) fault("open: flags %#x are not modelled", (unsigned)flags); // O_CLOEXEC
    return (int)result(open(path, (flags & 3) | (flags & 0x1000000 ? O_CLOEXEC : 0)));
}

int sys_pipe(int ends[2]) {
    return (int)result(pipe(ends));
}

// <sys/resource.h>: RLIMIT_AS is 5, and no limit is the greatest signed number. Darwin's kernel does not mind
// that limit, and Linux's does: it stands for memory that runs out.
int sys_getrlimit(int which, struct rlimit *limit) {
    if (which != 5) fault("getrlimit of %d is not modelled", which);
    int status = getrlimit(RLIMIT_AS, limit);
    if (limit->rlim_cur == RLIM_INFINITY) limit->rlim_cur = INT64_MAX;
    if (limit->rlim_max == RLIM_INFINITY) limit->rlim_max = INT64_MAX;
    return (int)result(status);
}

int sys_setrlimit(int which, const struct rlimit *limit) {
    if (which != 5) fault("setrlimit of %d is not modelled", which);
    struct rlimit own = *limit;
    if (own.rlim_cur == INT64_MAX) own.rlim_cur = RLIM_INFINITY;
    if (own.rlim_max == INT64_MAX) own.rlim_max = RLIM_INFINITY;
    return (int)result(setrlimit(RLIMIT_AS, &own));
}

int sys_atexit(void (*function)(void)) {
    return atexit(function);
}

int sys_close(int fd) {
    return (int)result(close(fd));
}

long sys_read(int fd, void *bytes, size_t count) {
    return result(read(fd, bytes, count));
}

long sys_write(int fd, const void *bytes, size_t count) {
    return result(write(fd, bytes, count));
}

int sys_pthread_threadid_np(void *thread, uint64_t *id) {
    (void)thread;
    *id = self();
    return 0;
}

unsigned sys_mach_thread_self(void) {
    return self();
}

// These take what they return from the public malloc, as Libc's do, across a library's border.
char *sys_strndup(const char *text, size_t most) {
    size_t length = strnlen(text, most);
    char *copy = PATCHED(sys_malloc)(length + 1);
    if (!copy) return NULL;
    memcpy(copy, text, length);
    copy[length] = 0;
    return copy;
}

char *sys_strdup(const char *text) {
    return sys_strndup(text, strlen(text));
}

char *sys_realpath(const char *path, char *room) {
    char resolved[4096];
    if (!realpath(path, resolved)) return *darwin_errno() = to_darwin(errno), NULL;
    return room ? strcpy(room, resolved) : sys_strdup(resolved);
}

char ***sys_environ(void) {
    return &environ;
}

_Noreturn void sys_abort(void) {
    fault("abort() was called");
}

_Noreturn void sys_stack_chk_fail(void) {
    fault("stack smashing detected");
}

// malloc_printf: the words alone; the arguments are passed in another way on arm64.
void sys_malloc_printf(const char *format) {
    note("malloc_printf: %s", format);
}

static void set_pattern(char *to, const void *pattern, size_t width, size_t size) {
    for (size_t at = 0; at < size; at += width)
        memcpy(to + at, pattern, size - at < width ? size - at : width);
}

void sys_memset_pattern4(void *to, const void *pattern, size_t size) {
    set_pattern(to, pattern, 4, size);
}

void sys_memset_pattern8(void *to, const void *pattern, size_t size) {
    set_pattern(to, pattern, 8, size);
}

void sys_memset_pattern16(void *to, const void *pattern, size_t size) {
    set_pattern(to, pattern, 16, size);
}

__attribute__((constructor)) static void set_up(void) {
    vm_page_mask = vm_page_size - 1;
    standard_out = stdout;
    standard_error = stderr;
}
