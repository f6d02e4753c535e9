// Typed allocation (libmalloc-792.41.1 src/malloc_type.c).
//
// If a plain function is interposed and no typed one, typed calls go on to the public plain names. A single
// typed tuple ends that, and each typed function without one allocates from the zone that stands first.
#include "zones.h"

bool typed_calls_rerouted;

void *sys_malloc_type_malloc(size_t size, uint64_t type) {
    if (typed_calls_rerouted) return PATCHED(sys_malloc)(size);
    return virtual_zone.type_malloc(&virtual_zone, size, type);
}

void *sys_malloc_type_calloc(size_t count, size_t size, uint64_t type) {
    if (typed_calls_rerouted) return PATCHED(sys_calloc)(count, size);
    return virtual_zone.type_calloc(&virtual_zone, count, size, type);
}

void *sys_malloc_type_realloc(void *old, size_t size, uint64_t type) {
    if (typed_calls_rerouted) return PATCHED(sys_realloc)(old, size);
    if (!old) return sys_malloc_type_malloc(size, type);
    if (size == 0 || !zone_of(old, NULL)) return sys_realloc(old, size);
    return virtual_zone.type_realloc(&virtual_zone, old, size, type);
}

// Not rerouted: only a registered zone sees it.
void sys_malloc_type_free(void *block, uint64_t type) {
    (void)type;
    sys_free(block);
}

void *sys_malloc_type_valloc(size_t size, uint64_t type) {
    if (typed_calls_rerouted) return PATCHED(sys_valloc)(size);
    return virtual_zone.type_memalign(&virtual_zone, vm_page_size, size, type);
}

void *sys_malloc_type_aligned_alloc(size_t alignment, size_t size, uint64_t type) {
    (void)type;
    return typed_calls_rerouted ? PATCHED(sys_aligned_alloc)(alignment, size)
                                : sys_aligned_alloc(alignment, size);
}

int sys_malloc_type_posix_memalign(void **result, size_t alignment, size_t size, uint64_t type) {
    (void)type;
    if (typed_calls_rerouted) return PATCHED(sys_posix_memalign)(result, alignment, size);
    return sys_posix_memalign(result, alignment, size);
}

static bool typed(const struct zone *zone) {
    return zone->version >= 16;
}

void *sys_malloc_type_zone_malloc(struct zone *zone, size_t size, uint64_t type) {
    if (typed_calls_rerouted) return PATCHED(sys_malloc_zone_malloc)(zone, size);
    return typed(zone) ? zone->type_malloc(zone, size, type) : zone->malloc(zone, size);
}

void *sys_malloc_type_zone_calloc(struct zone *zone, size_t count, size_t size, uint64_t type) {
    if (typed_calls_rerouted) return PATCHED(sys_malloc_zone_calloc)(zone, count, size);
    return typed(zone) ? zone->type_calloc(zone, count, size, type) : zone->calloc(zone, count, size);
}

void *sys_malloc_type_zone_realloc(struct zone *zone, void *old, size_t size, uint64_t type) {
    if (typed_calls_rerouted) return PATCHED(sys_malloc_zone_realloc)(zone, old, size);
    return typed(zone) ? zone->type_realloc(zone, old, size, type) : zone->realloc(zone, old, size);
}

void sys_malloc_type_zone_free(struct zone *zone, void *block, uint64_t type) {
    (void)type;
    zone->free(zone, block);
}

void *sys_malloc_type_zone_valloc(struct zone *zone, size_t size, uint64_t type) {
    if (typed_calls_rerouted) return PATCHED(sys_malloc_zone_valloc)(zone, size);
    return typed(zone) ? zone->type_memalign(zone, vm_page_size, size, type) : zone->valloc(zone, size);
}

void *sys_malloc_type_zone_memalign(struct zone *zone, size_t alignment, size_t size, uint64_t type) {
    if (typed_calls_rerouted) return PATCHED(sys_malloc_zone_memalign)(zone, alignment, size);
    return typed(zone) ? zone->type_memalign(zone, alignment, size, type)
                       : zone->memalign(zone, alignment, size);
}

void *sys_malloc_type_zone_malloc_with_options(
    struct zone *zone, size_t alignment, size_t size, uint64_t type, uint64_t options) {
    (void)type;
    if (typed_calls_rerouted)
        return PATCHED(sys_malloc_zone_malloc_with_options)(zone, alignment, size, options);
    return sys_malloc_zone_malloc_with_options(zone, alignment, size, options);
}

// _malloc_detect_interposition, which leaves out the two with options.
void detect_interposition(void) {
    void *const plain[] = {
        sys_malloc,
        sys_calloc,
        sys_realloc,
        sys_free,
        sys_valloc,
        sys_aligned_alloc,
        sys_posix_memalign,
        sys_malloc_zone_malloc,
        sys_malloc_zone_calloc,
        sys_malloc_zone_realloc,
        sys_malloc_zone_free,
        sys_malloc_zone_valloc,
        sys_malloc_zone_memalign,
    };
    void *const with_type[] = {
        sys_malloc_type_malloc,
        sys_malloc_type_calloc,
        sys_malloc_type_realloc,
        sys_malloc_type_free,
        sys_malloc_type_valloc,
        sys_malloc_type_aligned_alloc,
        sys_malloc_type_posix_memalign,
        sys_malloc_type_zone_malloc,
        sys_malloc_type_zone_calloc,
        sys_malloc_type_zone_realloc,
        sys_malloc_type_zone_free,
        sys_malloc_type_zone_valloc,
        sys_malloc_type_zone_memalign,
    };
    bool any_plain = false, any_typed = false;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        any_plain |= interposed(NULL, plain[i]) != plain[i];
        any_typed |= interposed(NULL, with_type[i]) != with_type[i];
    }
    typed_calls_rerouted = any_plain && !any_typed;
}
