// loader [--hide PREFIX]… [--nano] [--first ZONE] [--two] [--insert LIBRARY]… PROGRAM ARGUMENTS…
//
// Runs a Mach-O program for macOS on Linux: what it needs of libSystem is a model (README.md). Its status is
// the program's; 127 if it cannot be loaded; a signal where Darwin would end it. `--exports` lists the model.
#define _GNU_SOURCE
#include "thread.h"
#include "zones.h"
#include <dlfcn.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <unistd.h>

struct start start;
static pid_t process;

static void say(const char *format, va_list arguments) {
    char line[2048];
    int length = snprintf(line, sizeof line, "loader: ");
    length += vsnprintf(line + length, sizeof line - (size_t)length - 1, format, arguments);
    if (length > (int)sizeof line - 2) length = (int)sizeof line - 2;
    line[length++] = '\n';
    if (write(STDERR_FILENO, line, (size_t)length) < 0) _exit(127);
}

void note(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

_Noreturn void refuse(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    _exit(127);
}

_Noreturn void fault(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    signal(SIGABRT, SIG_DFL);
    abort();
}

// The end of a stack is SIGBUS on Darwin, which a shell tells as 138.
static void on_signal(int number, siginfo_t *info, void *context) {
    if (number == SIGALRM) refuse("not done after %d seconds: a deadlock?", WATCHDOG);
    const ucontext_t *at = context;
#if defined(__x86_64__)
    uintptr_t pc = (uintptr_t)at->uc_mcontext.gregs[REG_RIP], sp = (uintptr_t)at->uc_mcontext.gregs[REG_RSP];
#else
    uintptr_t pc = at->uc_mcontext.pc, sp = at->uc_mcontext.sp;
#endif
    uintptr_t address = (uintptr_t)info->si_addr;
    const struct image *image = image_of((void *)pc);
    note("died at %#lx, %s+%#lx, of address %#lx", (unsigned long)pc, image ? image->path : "the system",
        (unsigned long)(image ? pc - (uintptr_t)image->base : 0), (unsigned long)address);
    if (me.tlv_depth > 1)
        note("%u set-ups of thread-locals inside each other: malloc touches one", me.tlv_depth);
    if (address + 0x20000 > sp && address < sp + 0x20000) {
        note("the stack is at its end");
        _exit(138);
    }
    _exit(139);
}

// A stack of its own for the handler, for each thread.
void hand_over_signals(void) {
    const size_t size = 1 << 16;
    stack_t stack = {.ss_sp = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        .ss_size = size};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
}

static void report(void) {
    if (getpid() != process) return;
    note("images %u, tuples %u live %u absent %u dropped", image_count, tuple_count.live, tuple_count.absent,
        tuple_count.dropped);
    report_zones();
    note("threads %u started %u ended", thread_starts, thread_exits);
}

// All that is new: needs first, so that the list is whole before anything is bound.
static void link_from(unsigned first, bool late) {
    for (unsigned i = first; i < image_count; i++) {
        images[i]->late = late;
        load_needed(images[i]);
    }
    for (unsigned i = first; i < image_count; i++) read_tuples(images[i]);
    if (!late) detect_interposition();
    for (unsigned i = first; i < image_count; i++) {
        apply_fixups(images[i]);
        set_up_tlv(images[i]);
        protect(images[i]);
    }
}

static const char *trouble;

// An image that comes later is bound to the replacements that are there; tuples of its own do nothing.
void *sys_dlopen(const char *path, int mode) {
    (void)mode;
    if (!path) return images[0];
    unsigned first = image_count;
    struct image *image = load_image(path);
    if (!image) return trouble = "image not found", NULL;
    link_from(first, true);
    run_initialisers(image);
    return image;
}

// RTLD_DEFAULT (-2) and what dlopen gave. The caller counts as no image (dyld-1378 DyldAPIs.cpp): what it
// finds is the replacement, in the dylib with the tuples too.
void *sys_dlsym(void *handle, const char *name) {
    char symbol[512];
    snprintf(symbol, sizeof symbol, "_%s", name);
    void *address = NULL;
    if (handle != (void *)-2) address = find_export(handle, symbol);
    for (unsigned i = 0; handle == (void *)-2 && !address && i < image_count; i++)
        address = find_export(images[i], symbol);
    if (!address) address = find_host(symbol);
    if (!address) trouble = "symbol not found";
    return address ? interposed(NULL, address) : NULL;
}

const char *sys_dlerror(void) {
    const char *last = trouble;
    trouble = NULL;
    return last;
}

// Every image stays, as dyld keeps those with thread-locals (dyld-1378 DyldRuntimeState.cpp).
int sys_dlclose(void *handle) {
    (void)handle;
    return 0;
}

// Another process with the same images at other addresses, for what tools read of a process. Both share a
// page, and the program is told where it lies and which process the other one is: in that one, 0.
static void become_two(char page[32], char other[16]) {
    enum { ELSEWHERE = 1 << 27, PAGE = 0x4000 };
    void *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    if (shared == MAP_FAILED || child < 0) refuse("no second process");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (mmap(NULL, ELSEWHERE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED)
            refuse("no room to be elsewhere");
    }
    snprintf(page, 32, "%lu", (unsigned long)shared);
    snprintf(other, 16, "%d", (int)child);
}

int main(int argc, char **argv, char **envp) {
    const char *inserted[MOST_IMAGES];
    const char *first = "DefaultMallocZone";
    unsigned insertions = 0, hides = 0;
    bool nano = false, two = false;
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--exports") == 0) return print_host(), 0;
        if (strcmp(argv[i], "--nano") == 0) nano = true;
        else if (strcmp(argv[i], "--two") == 0) two = true;
        else if (strcmp(argv[i], "--hide") == 0 && i + 1 < argc && hides < MOST_HIDDEN)
            hidden[hides++] = argv[++i];
        else if (strcmp(argv[i], "--first") == 0 && i + 1 < argc) first = argv[++i];
        else if (strcmp(argv[i], "--insert") == 0 && i + 1 < argc && insertions < MOST_IMAGES)
            inserted[insertions++] = argv[++i];
        else refuse("unknown option %s", argv[i]);
    }
    if (i == argc) refuse("no program");
    char page[32], other[16], **words = calloc((size_t)argc + 3, sizeof *words);
    int count = 0;
    while (i + count < argc) words[count] = argv[i + count], count++;
    if (two) {
        become_two(page, other);
        words[count++] = page;
        words[count++] = other;
    }
    process = getpid();
    alarm(WATCHDOG);
    enter_thread();
    set_up_zones(first, nano);
    take_early_blocks();
    atexit(report);

    struct image *program = load_image(argv[i]);
    if (!program || !program->entry) refuse("%s: no program", argv[i]);
    for (unsigned k = 0; k < insertions; k++)
        if (!load_image(inserted[k]))
            refuse("terminating because inserted dylib '%s' could not be loaded", inserted[k]);
    link_from(0, false);
    check_early_calls();

    static char path[] = "executable_path=", *apple[] = {path, NULL};
    start = (struct start){count, words, envp, apple};
    // Inserted dylibs come before the program (dyld-1378 dyldMain.cpp).
    for (unsigned k = 1; k <= insertions; k++) run_initialisers(images[k]);
    run_initialisers(program);
    int (*enter)(int, char **, char **, char **) =
        (int (*)(int, char **, char **, char **))(uintptr_t)(program->base + program->entry->entryoff);
    exit(enter(start.argc, start.argv, start.envp, start.apple));
}
