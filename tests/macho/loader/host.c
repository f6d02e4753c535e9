// libSystem as programs see it here: exactly these names. What is not in the list is not found, and an
// image that needs it is refused by its name: many of Linux's functions are called another way.
#define _GNU_SOURCE
#include "loader.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <sched.h>
#include <sys/uio.h>

// A function or a variable of the model, under Darwin's name with its underscore.
#define MODEL(name) {"_" #name, sys_##name}
#define LINUX(name) {"_" #name, (void *)(uintptr_t)name}
#define DECLARE(name) extern char sys_##name[];

#define X DECLARE
#include "names.h"
#undef X
// Under other names there.
DECLARE(reallocarray) DECLARE(reallocarrayf) DECLARE(malloc_fork_prepare) DECLARE(malloc_fork_parent)
DECLARE(malloc_fork_child) DECLARE(environ) DECLARE(random_bytes) DECLARE(realpath) DECLARE(stack_chk_fail)
extern unsigned long vm_page_size, vm_page_mask, stack_guard;
extern unsigned task_self;
extern FILE *standard_out, *standard_error;
extern int __cxa_atexit(void (*)(void *), void *, void *);

static _Noreturn void not_bound(void) {
    fault("a stub was left unbound");
}

// There is no unwinder: what is noexcept names these and must not come to them.
static _Noreturn void no_exceptions(void) {
    fault("an exception, or std::terminate");
}

static void *sys_memcpy_chk(void *to, const void *from, size_t size, size_t room) {
    if (size > room) fault("detected buffer overflow");
    return memcpy(to, from, size);
}

static void *sys_memset_chk(void *to, int byte, size_t size, size_t room) {
    if (size > room) fault("detected buffer overflow");
    return memset(to, byte, size);
}

static const struct {
    const char *name;
    void *address;
} exports[] = {
#define X(name) MODEL(name),
#include "names.h"
#undef X
    {"_reallocarray$DARWIN_EXTSN", sys_reallocarray},
    {"_reallocarrayf$DARWIN_EXTSN", sys_reallocarrayf},
    {"__malloc_fork_prepare", sys_malloc_fork_prepare},
    {"__malloc_fork_parent", sys_malloc_fork_parent},
    {"__malloc_fork_child", sys_malloc_fork_child},
    {"_realpath$DARWIN_EXTSN", sys_realpath},
    {"_CCRandomGenerateBytes", sys_random_bytes},
    {"__NSGetEnviron", sys_environ},
    {"___error", (void *)(uintptr_t)darwin_errno},
    {"___stack_chk_fail", sys_stack_chk_fail},
    {"___stack_chk_guard", &stack_guard},
    {"___stdoutp", &standard_out},
    {"___stderrp", &standard_error},
    {"___bzero", (void *)(uintptr_t)bzero},
    {"___memcpy_chk", (void *)(uintptr_t)sys_memcpy_chk},
    {"___memset_chk", (void *)(uintptr_t)sys_memset_chk},
    {"_mach_task_self_", &task_self},
    {"_vm_page_size", &vm_page_size},
    {"_vm_page_mask", &vm_page_mask},
    {"__tlv_bootstrap", (void *)(uintptr_t)not_bound},
    {"___gxx_personality_v0", (void *)(uintptr_t)no_exceptions},
    {"___cxa_begin_catch", (void *)(uintptr_t)no_exceptions},
    {"__Unwind_Resume", (void *)(uintptr_t)no_exceptions},
    {"__ZSt9terminatev", (void *)(uintptr_t)no_exceptions},
    {"dyld_stub_binder", (void *)(uintptr_t)not_bound},
    LINUX(bzero), LINUX(memcpy), LINUX(memmove), LINUX(memset), LINUX(memcmp), LINUX(bcmp), LINUX(strlen),
    LINUX(strnlen), LINUX(strcmp), LINUX(strncmp), LINUX(strtol), LINUX(getenv), LINUX(fputs), LINUX(exit), LINUX(_exit),
    LINUX(getpid), LINUX(fsync), LINUX(writev), LINUX(sched_yield), LINUX(__cxa_atexit),
};

static bool is_hidden(const char *name) {
    for (unsigned i = 0; i < MOST_HIDDEN && hidden[i]; i++)
        if (strncmp(name, hidden[i], strlen(hidden[i])) == 0) return true;
    return false;
}

void *find_host(const char *name) {
    for (size_t i = 0; i < sizeof exports / sizeof *exports; i++)
        if (strcmp(exports[i].name, name) == 0) return is_hidden(name) ? NULL : exports[i].address;
    return NULL;
}

// For linkers that need an export list.
void print_host(void) {
    for (size_t i = 0; i < sizeof exports / sizeof *exports; i++) puts(exports[i].name);
}
