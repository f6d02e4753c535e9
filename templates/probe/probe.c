/* One case of the probe: `probe CASE plain|ready [SIZE…]`. */
#include "probe.h"

#include <fcntl.h>
#include <stdarg.h>
#ifdef _WIN32
#include <psapi.h>
#include <stdlib.h>
#else
#include <sys/resource.h>
#endif
#ifdef __linux__
#include <sys/prctl.h>
#endif

static bool ready; /* threads run thread_init before they allocate */
static unsigned bad_count;

static void write_line(const char *head, const char *format, va_list arguments)
{
    char line[512];
    int length = snprintf(line, sizeof line, "%s", head);
    length += vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
    if (length > (int)sizeof line - 2)
        length = (int)sizeof line - 2;
    line[length] = '\n';
    (void)!write(1, line, (unsigned)length + 1);
}

void say(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line("", format, arguments);
    va_end(arguments);
}

void bad(const char *format, ...)
{
    if (__atomic_fetch_add(&bad_count, 1, __ATOMIC_RELAXED) >= 8)
        return;
    va_list arguments;
    va_start(arguments, format);
    write_line("bad ", format, arguments);
    va_end(arguments);
}

void skip(const char *why)
{
    say("skip %s", why);
}

unsigned badness(void)
{
    return bad_count;
}

#ifdef _WIN32
size_t process_bytes(int resident)
{
    PROCESS_MEMORY_COUNTERS memory;
    if (!K32GetProcessMemoryInfo(GetCurrentProcess(), &memory, sizeof memory))
        return 0;
    return resident ? memory.WorkingSetSize : memory.PagefileUsage;
}
#else
size_t process_bytes(int resident)
{
    char text[128] = "";
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    (void)!read(file, text, sizeof text - 1);
    close(file);
    unsigned long all = 0, present = 0;
    sscanf(text, "%lu %lu", &all, &present);
    return (size_t)(resident ? present : all) * (size_t)sysconf(_SC_PAGESIZE);
}
#endif

uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

void fill(void *block, size_t size, unsigned seed)
{
    unsigned char *bytes = block;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(seed * 31 + i * 7 + (i >> 8));
}

bool filled(const void *block, size_t size, unsigned seed)
{
    const unsigned char *bytes = block;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != (unsigned char)(seed * 31 + i * 7 + (i >> 8)))
            return false;
    return true;
}

size_t usable(void *block, size_t size)
{
    return ALLOC8_HAS_MALLOC_USABLE_SIZE ? alloc8_malloc_usable_size(block) : size;
}

void thread_begins(void)
{
    if (ready)
        alloc8_thread_init();
}

void thread_ends(void)
{
    if (ready)
        alloc8_thread_cleanup();
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    {"exhaustion", case_exhaustion},
    {"calloc_overflow", case_calloc_overflow},
    {"zero_size", case_zero_size},
    {"realloc_null", case_realloc_null},
    {"realloc_zero", case_realloc_zero},
    {"usable_size_null", case_usable_size_null},
    {"free_null", case_free_null},
    {"free_errno", case_free_errno},
    {"min_align", case_min_align},
    {"max_align", case_max_align},
    {"natural_align", case_natural_align},
    {"alignment_einval", case_alignment_einval},
    {"argument_order", case_argument_order},
    {"content", case_content},
    {"sized_free", case_sized_free},
    {"good_size", case_good_size},
    {"threads", case_threads},
    {"fork", case_fork},
    {"owns", case_owns},
};

#ifdef _WIN32
/* Without a debugger, and without asking anybody. */
static LONG WINAPI end(EXCEPTION_POINTERS *what)
{
    TerminateProcess(GetCurrentProcess(), what->ExceptionRecord->ExceptionCode);
    return EXCEPTION_EXECUTE_HANDLER;
}

static void prepare(void)
{
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    SetUnhandledExceptionFilter(end);
}
#else
static void limit(int resource, rlim_t value)
{
    struct rlimit limits = {value, value};
    setrlimit(resource, &limits);
}

static void prepare(void)
{
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, 20);
    limit(RLIMIT_FSIZE, (rlim_t)1 << 20);
#ifdef PR_SET_THP_DISABLE
    /* With huge pages, one written byte is 2 MiB of memory, and memory is what is watched. */
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
#endif
}
#endif

int main(int count, char **arguments)
{
    if (count < 3)
        return 2;
    prepare();
    ready = strcmp(arguments[2], "ready") == 0;
    say("try init()");
    if (ALLOC8_HAS_INIT)
        alloc8_init();
    if (ready) {
        say("try thread_init()");
        alloc8_thread_init();
    }
    if (strcmp(arguments[1], "sizes") == 0) {
        case_sizes(count - 3, arguments + 3);
        say("done");
        return 0;
    }
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (strcmp(arguments[1], cases[i].name) == 0) {
            say("try %s", cases[i].name);
            cases[i].run();
            say("done");
            /* Without exit handlers: an allocator's own are no part of a case. */
            _exit(0);
        }
    }
    return 2;
}
