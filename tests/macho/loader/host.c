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

// A function or a variable of the model, under Darwin's name with its underscore.
#define MODEL(name) {"_" #name, sys_##name}
#define LINUX(name) {"_" #name, (void *)(uintptr_t)name}
#define DECLARE(name) extern char sys_##name[];

#define MALLOC_NAMES(X) \
    X(malloc) X(calloc) X(realloc) X(reallocf) X(valloc) X(vfree) X(free) X(aligned_alloc) X(posix_memalign) X(malloc_size) \
    X(malloc_good_size) X(malloc_default_zone) X(malloc_default_purgeable_zone) X(malloc_create_zone) X(malloc_destroy_zone) \
    X(malloc_zone_register) X(malloc_zone_unregister) X(malloc_get_all_zones) X(malloc_get_zone_name) X(malloc_set_zone_name) X(malloc_zone_from_ptr) \
    X(malloc_zone_malloc) X(malloc_zone_calloc) X(malloc_zone_valloc) X(malloc_zone_memalign) X(malloc_zone_realloc) \
    X(malloc_zone_free) X(malloc_zone_batch_malloc) X(malloc_zone_batch_free) X(malloc_zone_malloc_with_options) \
    X(malloc_zone_check) X(malloc_zone_print) X(malloc_zone_print_ptr_info) X(malloc_zone_log) X(malloc_zone_statistics) \
    X(malloc_zone_pressure_relief) X(malloc_jumpstart) X(malloc_printf) \
    X(malloc_type_malloc) X(malloc_type_calloc) X(malloc_type_realloc) X(malloc_type_free) X(malloc_type_valloc) \
    X(malloc_type_aligned_alloc) X(malloc_type_posix_memalign) X(malloc_type_zone_malloc) X(malloc_type_zone_calloc) \
    X(malloc_type_zone_realloc) X(malloc_type_zone_free) X(malloc_type_zone_valloc) X(malloc_type_zone_memalign) \
    X(malloc_type_zone_malloc_with_options)

#define OTHER_NAMES(X) \
    X(pthread_key_create) X(pthread_key_delete) X(pthread_getspecific) X(pthread_setspecific) X(pthread_create) X(pthread_exit) \
    X(pthread_join) X(pthread_detach) X(pthread_cancel) X(pthread_testcancel) X(pthread_setcancelstate) X(pthread_main_np) \
    X(pthread_introspection_hook_install) X(pthread_atfork) X(pthread_once) X(pthread_mutex_init) X(pthread_mutex_destroy) \
    X(pthread_mutex_lock) X(pthread_mutex_trylock) X(pthread_mutex_unlock) X(pthread_threadid_np) X(os_unfair_lock_lock) \
    X(os_unfair_lock_lock_with_options) X(os_unfair_lock_trylock) X(os_unfair_lock_unlock) X(os_unfair_lock_assert_owner) \
    X(os_unfair_lock_assert_not_owner) X(dispatch_async_f) X(dispatch_get_global_queue) X(usleep) X(sleep) X(fork) X(waitpid) \
    X(mmap) X(munmap) X(mprotect) X(madvise) X(getpagesize) X(sysconf) X(pathconf) X(sysctl) X(task_info) X(getrusage) \
    X(clock_gettime) X(mach_absolute_time) X(arc4random_buf) X(write) X(mach_thread_self) X(mach_vm_read_overwrite) X(strdup) X(strndup) X(abort) \
    X(memset_pattern4) X(memset_pattern8) X(memset_pattern16) X(dlopen) X(dlsym)

MALLOC_NAMES(DECLARE)
OTHER_NAMES(DECLARE)
DECLARE(reallocarray) DECLARE(reallocarrayf) DECLARE(malloc_fork_prepare) DECLARE(malloc_fork_parent)
DECLARE(malloc_fork_child) DECLARE(environ) DECLARE(random_bytes) DECLARE(realpath) DECLARE(stack_chk_fail)
extern unsigned long vm_page_size, vm_page_mask, stack_guard;
extern unsigned task_self;
extern FILE *standard_out, *standard_error;
extern int __cxa_atexit(void (*)(void *), void *, void *);

static _Noreturn void not_bound(void) {
    fault("a stub was left unbound");
}

static void *sys_memcpy_chk(void *to, const void *from, size_t size, size_t room) {
    if (size > room) fault("detected buffer overflow");
    return memcpy(to, from, size);
}

static void *sys_memset_chk(void *to, int byte, size_t size, size_t room) {
    if (size > room) fault("detected buffer overflow");
    return memset(to, byte, size);
}

#define ENTRY(name) MODEL(name),
static const struct {
    const char *name;
    void *address;
} exports[] = {
    MALLOC_NAMES(ENTRY) OTHER_NAMES(ENTRY)
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
    {"dyld_stub_binder", (void *)(uintptr_t)not_bound},
    LINUX(bzero), LINUX(memcpy), LINUX(memmove), LINUX(memset), LINUX(memcmp), LINUX(strlen), LINUX(strcmp), LINUX(strncmp),
    LINUX(strtol), LINUX(getenv), LINUX(fputs), LINUX(exit), LINUX(_exit), LINUX(getpid), LINUX(sched_yield), LINUX(__cxa_atexit),
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
