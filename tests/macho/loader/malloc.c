// What libmalloc exports: the plain functions and the zones' (libmalloc-792.41.1 src/malloc.c).
#include "zones.h"
#include <stdint.h>
#include <string.h>

// Zones tell errno themselves from version 13 on; for older ones the slow path does.
static void *told(void *block) {
    if (!block && first_zone()->version < 13) *darwin_errno() = DARWIN_ENOMEM;
    return block;
}

static void *with_errno(void *block, int error) {
    if (!block) *darwin_errno() = error;
    return block;
}

void *sys_malloc(size_t size) {
    return told(first_zone()->malloc(first_zone(), size));
}

void *sys_calloc(size_t count, size_t size) {
    return told(first_zone()->calloc(first_zone(), count, size));
}

void *sys_valloc(size_t size) {
    return with_errno(first_zone()->valloc(first_zone(), size), DARWIN_ENOMEM);
}

// find_zone_and_free: the owner is asked for by size(), and gets the size back.
void sys_free(void *block) {
    if (!block) return;
    size_t size;
    struct zone *zone = zone_of(block, &size);
    if (!zone) fault("*** error for object %p: pointer being freed was not allocated", block);
    if (zone == &virtual_zone) zone = first_zone();
    if (zone->version >= 6 && zone->free_definite_size) zone->free_definite_size(zone, block, size);
    else zone->free(zone, block);
}

void sys_vfree(void *block) {
    sys_free(block);
}

void *sys_realloc(void *old, size_t size) {
    if (!old) return sys_malloc(size);
    struct zone *zone = zone_of(old, NULL);
    if (!zone) fault("*** error for object %p: pointer being realloc'd was not allocated", old);
    if (zone == &virtual_zone) zone = first_zone();
    if (size == 0) { // a block of the least size, and the old one is gone
        void *least = sys_malloc(0);
        if (least) sys_free(old);
        return least;
    }
    return with_errno(zone->realloc(zone, old, size), DARWIN_ENOMEM);
}

void *sys_reallocf(void *old, size_t size) {
    void *block = sys_realloc(old, size);
    int error = *darwin_errno();
    if (!block && old && size) sys_free(old);
    *darwin_errno() = error;
    return block;
}

void *sys_reallocarray(void *old, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return with_errno(NULL, DARWIN_ENOMEM);
    return PATCHED(sys_realloc)(old, bytes);
}

void *sys_reallocarrayf(void *old, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return PATCHED(sys_free)(old), with_errno(NULL, DARWIN_ENOMEM);
    return PATCHED(sys_reallocf)(old, bytes);
}

static bool is_alignment(size_t alignment) {
    return alignment >= sizeof(void *) && (alignment & (alignment - 1)) == 0;
}

void *sys_malloc_zone_memalign(struct zone *zone, size_t alignment, size_t size) {
    if (!is_alignment(alignment) || zone->version < 5 || !zone->memalign) return NULL;
    return zone->memalign(zone, alignment, size);
}

void *sys_aligned_alloc(size_t alignment, size_t size) {
    if (!is_alignment(alignment) || size % alignment) return with_errno(NULL, DARWIN_EINVAL);
    return with_errno(sys_malloc_zone_memalign(first_zone(), alignment, size), DARWIN_ENOMEM);
}

int sys_posix_memalign(void **result, size_t alignment, size_t size) {
    if (!is_alignment(alignment)) return DARWIN_EINVAL;
    void *block = sys_malloc_zone_memalign(first_zone(), alignment, size);
    if (!block) return DARWIN_ENOMEM;
    *result = block;
    return 0;
}

size_t sys_malloc_size(const void *block) {
    size_t size = 0;
    return block && zone_of(block, &size) ? size : 0;
}

size_t sys_malloc_good_size(size_t size) {
    return virtual_zone.introspect->good_size(&virtual_zone, size);
}

struct zone *sys_malloc_zone_from_ptr(const void *block) {
    return block ? zone_of(block, NULL) : NULL;
}

void *sys_malloc_zone_malloc(struct zone *zone, size_t size) {
    return zone->malloc(zone, size);
}

void *sys_malloc_zone_calloc(struct zone *zone, size_t count, size_t size) {
    return zone->calloc(zone, count, size);
}

void *sys_malloc_zone_valloc(struct zone *zone, size_t size) {
    return zone->valloc(zone, size);
}

void *sys_malloc_zone_realloc(struct zone *zone, void *old, size_t size) {
    return zone->realloc(zone, old, size);
}

void sys_malloc_zone_free(struct zone *zone, void *block) {
    zone->free(zone, block);
}

unsigned sys_malloc_zone_batch_malloc(struct zone *zone, size_t size, void **blocks, unsigned count) {
    return zone->batch_malloc ? zone->batch_malloc(zone, size, blocks, count) : 0;
}

void sys_malloc_zone_batch_free(struct zone *zone, void **blocks, unsigned count) {
    if (zone->batch_free) zone->batch_free(zone, blocks, count);
    else
        for (unsigned i = 0; i < count; i++) zone->free(zone, blocks[i]);
}

// No look at NULL from version 15 on (libmalloc-521 and newer).
void *sys_malloc_zone_malloc_with_options(
    struct zone *zone, size_t alignment, size_t size, uint64_t options) {
    if (!zone || zone == &virtual_zone) zone = first_zone();
    bool plain = alignment <= sizeof(void *);
    if (!plain && (!is_alignment(alignment) || size % alignment)) return NULL;
    if (zone->version >= 15) return zone->malloc_with_options(zone, plain ? 0 : alignment, size, options);
    if (plain) return options & OPTION_CLEAR ? zone->calloc(zone, 1, size) : zone->malloc(zone, size);
    void *block = zone->memalign(zone, alignment, size);
    if (block && options & OPTION_CLEAR) memset(block, 0, size);
    return block;
}

// What asks each zone for itself, or the one in the call; from here, not by its public name.
int sys_malloc_zone_check(struct zone *zone) {
    return !zone || zone->introspect->check(zone);
}

void sys_malloc_zone_print(struct zone *zone, int verbose) {
    if (zone && zone != &virtual_zone) zone->introspect->print(zone, verbose);
}

void sys_malloc_zone_print_ptr_info(void *address) {
    (void)address;
}

void sys_malloc_zone_log(struct zone *zone, void *address) {
    if (zone && zone != &virtual_zone) zone->introspect->log(zone, address);
}

void sys_malloc_zone_statistics(struct zone *zone, struct statistics *statistics) {
    if (zone) {
        zone->introspect->statistics(zone, statistics);
        return;
    }
    uintptr_t *all;
    unsigned count;
    sys_malloc_get_all_zones(0, NULL, &all, &count);
    memset(statistics, 0, sizeof *statistics);
    for (unsigned i = 0; i < count; i++) {
        struct statistics one;
        ((struct zone *)all[i])->introspect->statistics((struct zone *)all[i], &one);
        statistics->blocks += one.blocks;
        statistics->in_use += one.in_use;
        statistics->most_in_use += one.most_in_use;
        statistics->allocated += one.allocated;
    }
}

size_t sys_malloc_zone_pressure_relief(struct zone *zone, size_t goal) {
    if (!zone) zone = first_zone();
    return zone->version >= 8 && zone->pressure_relief ? zone->pressure_relief(zone, goal) : 0;
}

int sys_malloc_jumpstart(uintptr_t cookie) {
    (void)cookie;
    return 1;
}
