// libmalloc's zones and what it exports: the model of libmalloc-792.41.1 (<malloc/malloc.h> has the
// structures).
#pragma once
#include "loader.h"

enum { WATCHDOG = 120 }; // seconds until a run is taken for one that stands still

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
    void (*reinit_lock)(struct zone *); // from version 9 on
    void (*print_task)(void);
    void (*task_statistics)(void);
    unsigned zone_type;
};

struct zone {
    void *reserved[2];
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
    void *(*memalign)(struct zone *, size_t, size_t);                      // 5
    void (*free_definite_size)(struct zone *, void *, size_t);             // 6
    size_t (*pressure_relief)(struct zone *, size_t);                      // 8
    int (*claimed_address)(struct zone *, void *);                         // 10
    void (*try_free_default)(struct zone *, void *);                       // 13
    void *(*malloc_with_options)(struct zone *, size_t, size_t, uint64_t); // 15
    void *(*type_malloc)(struct zone *, size_t, uint64_t);                 // 16, and the rest
    void *(*type_calloc)(struct zone *, size_t, size_t, uint64_t);
    void *(*type_realloc)(struct zone *, void *, size_t, uint64_t);
    void *(*type_memalign)(struct zone *, size_t, size_t, uint64_t);
    void *(*type_malloc_with_options)(struct zone *, size_t, size_t, uint64_t, uint64_t);
};
_Static_assert(sizeof(struct zone) == 200 && offsetof(struct zone, version) == 104, "malloc_zone_t");
_Static_assert(sizeof(struct introspection) == 136 && offsetof(struct introspection, reinit_lock) == 104,
    "malloc_introspection_t");

enum { ENUMERATE_BLOCKS = 1, ENUMERATE_REGIONS = 2, ENUMERATE_ADMIN = 4, OPTION_CLEAR = 1 };
enum { DARWIN_ENOMEM = 12, DARWIN_EINVAL = 22 };
extern unsigned long vm_page_size; // 16 KiB on arm64
void *darwin_mmap(size_t size);

// heap.c: one of the system's own zones; `larger` takes what is above 256 bytes, for nano's layout.
struct zone *make_heap(const char *name, struct zone *larger);
bool is_heap(const struct zone *);
void destroy_heap(struct zone *);

// zones.c: the list, and the zone that stands for its first.
extern struct zone virtual_zone;
struct zone *first_zone(void);
struct zone *zone_of(const void *block, size_t *size);
void set_up_zones(const char *first, bool nano);
void report_zones(void);
struct zone *sys_malloc_default_zone(void);
struct zone *sys_malloc_default_purgeable_zone(void);
struct zone *sys_malloc_create_zone(size_t start, unsigned flags);
void sys_malloc_destroy_zone(struct zone *);
void sys_malloc_zone_register(struct zone *);
void sys_malloc_zone_unregister(struct zone *);
int sys_malloc_get_all_zones(unsigned task, reader_fn *, uintptr_t **addresses, unsigned *count);
const char *sys_malloc_get_zone_name(struct zone *);
void sys_malloc_fork_prepare(void);
void sys_malloc_fork_parent(void);
void sys_malloc_fork_child(void);

// malloc.c: the plain functions and the zones'.
void *sys_malloc(size_t);
void *sys_calloc(size_t, size_t);
void *sys_realloc(void *, size_t);
void *sys_reallocf(void *, size_t);
void *sys_reallocarray(void *, size_t, size_t);
void *sys_reallocarrayf(void *, size_t, size_t);
void *sys_valloc(size_t);
void sys_free(void *);
void sys_vfree(void *);
void *sys_aligned_alloc(size_t, size_t);
int sys_posix_memalign(void **, size_t, size_t);
size_t sys_malloc_size(const void *);
size_t sys_malloc_good_size(size_t);
struct zone *sys_malloc_zone_from_ptr(const void *);
void *sys_malloc_zone_malloc(struct zone *, size_t);
void *sys_malloc_zone_calloc(struct zone *, size_t, size_t);
void *sys_malloc_zone_valloc(struct zone *, size_t);
void *sys_malloc_zone_memalign(struct zone *, size_t, size_t);
void *sys_malloc_zone_realloc(struct zone *, void *, size_t);
void sys_malloc_zone_free(struct zone *, void *);
unsigned sys_malloc_zone_batch_malloc(struct zone *, size_t, void **, unsigned);
void sys_malloc_zone_batch_free(struct zone *, void **, unsigned);
void *sys_malloc_zone_malloc_with_options(struct zone *, size_t, size_t, uint64_t);

// typed.c.
void detect_interposition(void);
extern bool typed_calls_rerouted;
