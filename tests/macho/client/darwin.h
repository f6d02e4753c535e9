// What programs and libraries for macOS call here, declared by hand: the tests read no header of Apple's.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone;
struct range {
    uintptr_t address, size;
};
struct statistics {
    unsigned blocks;
    size_t in_use, most_in_use, allocated;
};
typedef int reader_fn(unsigned task, uintptr_t address, size_t size, void **local);
typedef void recorder_fn(unsigned task, void *context, unsigned type, struct range *ranges, unsigned count);

struct introspection {
    int (*enumerator)(
        unsigned task, void *context, unsigned types, uintptr_t zone, reader_fn *, recorder_fn *);
    size_t (*good_size)(struct zone *, size_t);
    int (*check)(struct zone *);
    void (*print)(struct zone *, int verbose);
    void (*log)(struct zone *, void *);
    void (*force_lock)(struct zone *);
    void (*force_unlock)(struct zone *);
    void (*statistics)(struct zone *, struct statistics *);
    int (*zone_locked)(struct zone *);
    void *discharge[4];
    void (*reinit_lock)(struct zone *);
    void *print_task, *task_statistics;
    unsigned zone_type;
};

struct zone {
    void *reserved1, *reserved2;
    size_t (*size)(struct zone *, const void *);
    void *(*malloc)(struct zone *, size_t);
    void *(*calloc)(struct zone *, size_t, size_t);
    void *(*valloc)(struct zone *, size_t);
    void (*free)(struct zone *, void *);
    void *(*realloc)(struct zone *, void *, size_t);
    void (*destroy)(struct zone *);
    const char *name;
    unsigned (*batch_malloc)(struct zone *, size_t, void **, unsigned);
    void (*batch_free)(struct zone *, void **, unsigned);
    struct introspection *introspect;
    unsigned version;
    void *(*memalign)(struct zone *, size_t, size_t);
    void (*free_definite_size)(struct zone *, void *, size_t);
    size_t (*pressure_relief)(struct zone *, size_t);
    int (*claimed_address)(struct zone *, void *);
    void (*try_free_default)(struct zone *, void *);
    void *(*malloc_with_options)(struct zone *, size_t, size_t, uint64_t);
    void *(*type_malloc)(struct zone *, size_t, uint64_t);
    void *(*type_calloc)(struct zone *, size_t, size_t, uint64_t);
    void *(*type_realloc)(struct zone *, void *, size_t, uint64_t);
    void *(*type_memalign)(struct zone *, size_t, size_t, uint64_t);
    void *(*type_malloc_with_options)(struct zone *, size_t, size_t, uint64_t, uint64_t);
};
_Static_assert(sizeof(struct zone) == 200 && offsetof(struct zone, version) == 104, "malloc_zone_t");
_Static_assert(sizeof(struct introspection) == 136, "malloc_introspection_t");

void *malloc(size_t);
void *calloc(size_t, size_t);
void *realloc(void *, size_t);
void *reallocf(void *, size_t);
void *reallocarray(void *, size_t, size_t) __asm("_reallocarray$DARWIN_EXTSN") __attribute__((weak_import));
void *reallocarrayf(void *, size_t, size_t) __asm("_reallocarrayf$DARWIN_EXTSN") __attribute__((weak_import));
void *valloc(size_t);
void vfree(void *);
void free(void *);
void *aligned_alloc(size_t, size_t);
int posix_memalign(void **, size_t, size_t);
size_t malloc_size(const void *);
size_t malloc_good_size(size_t);

struct zone *malloc_default_zone(void);
struct zone *malloc_default_purgeable_zone(void);
struct zone *malloc_create_zone(size_t start, unsigned flags);
void malloc_destroy_zone(struct zone *);
void malloc_zone_register(struct zone *);
void malloc_zone_unregister(struct zone *);
int malloc_get_all_zones(unsigned task, reader_fn *, uintptr_t **addresses, unsigned *count);
const char *malloc_get_zone_name(struct zone *);
struct zone *malloc_zone_from_ptr(const void *);
void *malloc_zone_malloc(struct zone *, size_t);
void *malloc_zone_calloc(struct zone *, size_t, size_t);
void *malloc_zone_valloc(struct zone *, size_t);
void *malloc_zone_memalign(struct zone *, size_t, size_t);
void *malloc_zone_realloc(struct zone *, void *, size_t);
void malloc_zone_free(struct zone *, void *);
unsigned malloc_zone_batch_malloc(struct zone *, size_t, void **, unsigned);
void malloc_zone_batch_free(struct zone *, void **, unsigned);
int malloc_zone_check(struct zone *);
void malloc_zone_statistics(struct zone *, struct statistics *);
size_t malloc_zone_pressure_relief(struct zone *, size_t);
void _malloc_fork_prepare(void);
void _malloc_fork_parent(void);
void _malloc_fork_child(void);

// Not on every system.
#define NEW __attribute__((weak_import))
NEW void *malloc_zone_malloc_with_options(struct zone *, size_t, size_t, uint64_t);
NEW void *malloc_type_malloc(size_t, uint64_t);
NEW void *malloc_type_calloc(size_t, size_t, uint64_t);
NEW void *malloc_type_realloc(void *, size_t, uint64_t);
NEW void malloc_type_free(void *, uint64_t);
NEW void *malloc_type_valloc(size_t, uint64_t);
NEW void *malloc_type_aligned_alloc(size_t, size_t, uint64_t);
NEW int malloc_type_posix_memalign(void **, size_t, size_t, uint64_t);
NEW void *malloc_type_zone_malloc(struct zone *, size_t, uint64_t);
NEW void *malloc_type_zone_calloc(struct zone *, size_t, size_t, uint64_t);
NEW void *malloc_type_zone_realloc(struct zone *, void *, size_t, uint64_t);
NEW void malloc_type_zone_free(struct zone *, void *, uint64_t);
NEW void *malloc_type_zone_valloc(struct zone *, size_t, uint64_t);
NEW void *malloc_type_zone_memalign(struct zone *, size_t, size_t, uint64_t);
NEW void *malloc_type_zone_malloc_with_options(struct zone *, size_t, size_t, uint64_t, uint64_t);

typedef struct pthread *pthread_t;
int pthread_create(pthread_t *, const void *attributes, void *(*)(void *), void *);
_Noreturn void pthread_exit(void *);
int pthread_join(pthread_t, void **);
int pthread_cancel(pthread_t);
int pthread_key_create(unsigned long *, void (*)(void *));
int pthread_setspecific(unsigned long, const void *);
void *pthread_getspecific(unsigned long);
void dispatch_async_f(void *queue, void *context, void (*)(void *));
void *dispatch_get_global_queue(long priority, unsigned long flags);
typedef void hook_fn(unsigned event, pthread_t, void *address, size_t size);
hook_fn *pthread_introspection_hook_install(hook_fn *);
typedef uint32_t os_unfair_lock;
void os_unfair_lock_lock(os_unfair_lock *);
void os_unfair_lock_unlock(os_unfair_lock *);

void *mmap(void *, size_t, int protection, int flags, int fd, long offset);
enum { READ_WRITE = 3, MAP_PRIVATE_ANON = 0x1002, MAP_SHARED_ANON = 0x1001 };
int mach_vm_read_overwrite(unsigned task, uintptr_t from, size_t size, uintptr_t to, size_t *read);
extern unsigned long vm_page_size;
int *__error(void);
#define errno (*__error())
enum { ENOMEM = 12, EINVAL = 22 };
int fork(void);
int waitpid(int, int *status, int options);
_Noreturn void _exit(int);
int usleep(unsigned);
long write(int, const void *, size_t);
char *strdup(const char *);
size_t strlen(const char *);
int strcmp(const char *, const char *);
void *memcpy(void *, const void *, size_t);
void *memset(void *, int, size_t);
void *dlopen(const char *, int mode);
void *dlsym(void *, const char *);
