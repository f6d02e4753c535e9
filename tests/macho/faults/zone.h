// The control shim's zone: its slots, the calls that name a zone, its place in the list.
#pragma once

// The calls of programs: for our zone, for none and for the system's default one; others are the system's.
static struct zone *shim_default_zone(void) {
    return &the_zone;
}

static bool is_ours(struct zone *zone) {
    return zone == NULL || zone == &the_zone || zone == malloc_default_zone();
}

static struct zone *shim_zone_from_ptr(const void *block) {
    return block_size(block) ? &the_zone : malloc_zone_from_ptr(block);
}

static void *shim_zone_malloc(struct zone *zone, size_t size) {
    return is_ours(zone) ? shim_malloc(size) : malloc_zone_malloc(zone, size);
}

static void *shim_zone_calloc(struct zone *zone, size_t count, size_t size) {
    return is_ours(zone) ? shim_calloc(count, size) : malloc_zone_calloc(zone, count, size);
}

static void *shim_zone_valloc(struct zone *zone, size_t size) {
    return is_ours(zone) ? shim_valloc(size) : malloc_zone_valloc(zone, size);
}

static void *shim_zone_memalign(struct zone *zone, size_t alignment, size_t size) {
    if (!is_ours(zone)) return malloc_zone_memalign(zone, alignment, size);
    return odd(alignment) ? NULL : heap_memalign(alignment, size);
}

static void *shim_zone_realloc(struct zone *zone, void *old, size_t size) {
    if (old ? block_size(old) != 0 : is_ours(zone)) return shim_realloc(old, size);
    return is_ours(zone) ? realloc(old, size) : malloc_zone_realloc(zone, old, size);
}

static void shim_zone_free(struct zone *zone, void *block) {
    if (block_size(block)) heap_free(block);
    else if (is_ours(zone)) free(block);
    else malloc_zone_free(zone, block);
}

static unsigned shim_batch_malloc(struct zone *zone, size_t size, void **blocks, unsigned count) {
    if (!is_ours(zone)) return malloc_zone_batch_malloc(zone, size, blocks, count);
    unsigned i = 0;
    while (i < count && (blocks[i] = heap_memalign(LEAST, size))) i++;
    return i;
}

static void shim_batch_free(struct zone *zone, void **blocks, unsigned count) {
    for (unsigned i = 0; i < count; i++) shim_zone_free(zone, blocks[i]);
}

static void *shim_zone_with_options(struct zone *zone, size_t alignment, size_t size, uint64_t options) {
    if (!is_ours(zone)) return malloc_zone_malloc_with_options(zone, alignment, size, options);
    bool plain = alignment <= sizeof(void *);
    if (!plain && (odd(alignment) || size % alignment)) return NULL;
    void *block = heap_memalign(plain ? LEAST : alignment, size);
    return block && options & 1 ? memset(block, 0, size) : block;
}

// The slots: what the system calls of a zone.
static size_t slot_size(struct zone *zone, const void *block) {
    (void)zone;
    return block_size(block);
}

static void *slot_malloc(struct zone *zone, size_t size) {
    (void)zone;
    return shim_malloc(size);
}

static void *slot_calloc(struct zone *zone, size_t count, size_t size) {
    (void)zone;
    return shim_calloc(count, size);
}

static void *slot_valloc(struct zone *zone, size_t size) {
    (void)zone;
    return shim_valloc(size);
}

static void slot_free(struct zone *zone, void *block) {
    (void)zone;
    if (block) heap_free(block);
}

static void slot_free_definite(struct zone *zone, void *block, size_t size) {
    (void)zone, (void)size;
    heap_free(block);
}

static void *slot_realloc(struct zone *zone, void *old, size_t size) {
    (void)zone;
    return shim_realloc(old, size);
}

static void *slot_memalign(struct zone *zone, size_t alignment, size_t size) {
    (void)zone;
    return heap_memalign(alignment, size);
}

static void slot_destroy(struct zone *zone) {
    (void)zone;
}

static size_t slot_relieve(struct zone *zone, size_t goal) {
    (void)zone, (void)goal;
    return 0;
}

static int slot_claims(struct zone *zone, void *address) {
    (void)zone;
    return base() && (size_t)((char *)address - base()) < (size_t)PAGES * PAGE;
}

static void *slot_type_malloc(struct zone *zone, size_t size, uint64_t type) {
    (void)type;
    return slot_malloc(zone, size);
}

static void *slot_type_calloc(struct zone *zone, size_t count, size_t size, uint64_t type) {
    (void)type;
    return slot_calloc(zone, count, size);
}

static void *slot_type_realloc(struct zone *zone, void *old, size_t size, uint64_t type) {
    (void)type;
    return slot_realloc(zone, old, size);
}

static void *slot_type_memalign(struct zone *zone, size_t alignment, size_t size, uint64_t type) {
    (void)type;
    return slot_memalign(zone, alignment, size);
}

static void *slot_type_with_options(
    struct zone *zone, size_t alignment, size_t size, uint64_t options, uint64_t type) {
    (void)type;
    return shim_zone_with_options(zone, alignment, size, options);
}

#ifndef READER
#define READER reader
#endif
// The heap lies where it does from the zone; in another process it is read, all of it.
static int enumerate(
    unsigned task, void *context, unsigned types, uintptr_t zone, reader_fn *reader, recorder_fn *record) {
    uintptr_t there = zone + ((uintptr_t)&heap - (uintptr_t)&the_zone);
    void *local = (void *)there;
    (void)reader;
    if (READER && READER(task, there, sizeof heap, &local) != 0) return 5;
    const struct heap *of = local;
    for (size_t at = 0; types & 1 && of->base && at < (size_t)PAGES * PAGE;
        at += of->kind[at / PAGE] ? LEAST : PAGE) {
        struct range range = {(uintptr_t)of->base + at, size_in(of, of->base, of->base + at)};
        if (range.size) record(task, context, 1, &range, 1);
    }
    return 0;
}

static size_t zone_good_size(struct zone *zone, size_t size) {
    (void)zone;
    return heap_good_size(size);
}

static int zone_check(struct zone *zone) {
    (void)zone;
    return 1;
}

static void zone_print(struct zone *zone, int verbose) {
    (void)zone, (void)verbose;
}

static void zone_log(struct zone *zone, void *address) {
    (void)zone, (void)address;
}

static void zone_lock(struct zone *zone) {
    (void)zone;
    lock();
}

static void zone_unlock(struct zone *zone) {
    (void)zone;
    unlock();
}

__attribute__((unused)) static void zone_reinit(struct zone *zone) {
    (void)zone;
    heap.lock = 0;
}

static int zone_locked(struct zone *zone) {
    (void)zone;
    return heap.lock != 0;
}

static void zone_statistics(struct zone *zone, struct statistics *statistics) {
    (void)zone;
    *statistics = heap.statistics;
}

#ifndef REINIT
#define REINIT zone_reinit
#endif
__attribute__((unused)) static struct introspection the_introspection = {
    .enumerator = enumerate,
    .good_size = zone_good_size,
    .check = zone_check,
    .print = zone_print,
    .log = zone_log,
    .force_lock = zone_lock,
    .force_unlock = zone_unlock,
    .statistics = zone_statistics,
    .zone_locked = zone_locked,
    .reinit_lock = REINIT,
};

#ifndef INTROSPECTION
#define INTROSPECTION &the_introspection
#endif
static struct zone the_zone = {
    .size = slot_size,
    .malloc = slot_malloc,
    .calloc = slot_calloc,
    .valloc = slot_valloc,
    .free = slot_free,
    .realloc = slot_realloc,
    .destroy = slot_destroy,
    .name = ZONE_NAME,
    .batch_malloc = shim_batch_malloc,
    .batch_free = shim_batch_free,
    .introspect = INTROSPECTION,
    .version = 16,
    .memalign = slot_memalign,
    .free_definite_size = slot_free_definite,
    .pressure_relief = slot_relieve,
    .claimed_address = slot_claims,
    .malloc_with_options = shim_zone_with_options,
    .type_malloc = slot_type_malloc,
    .type_calloc = slot_type_calloc,
    .type_realloc = slot_type_realloc,
    .type_memalign = slot_type_memalign,
    .type_malloc_with_options = slot_type_with_options,
};

#ifndef WITHOUT_ZONE
static struct zone *first(void) {
    uintptr_t *zones;
    unsigned count;
    return malloc_get_all_zones(0, NULL, &zones, &count) == 0 && count ? (struct zone *)zones[0] : NULL;
}

// The order that libmalloc allows: the purgeable zone first, then ours, until ours stands first.
__attribute__((constructor)) static void promote(void) {
    struct zone *purgeable = malloc_default_purgeable_zone(), *zone;
    if (!first() || strcmp(first()->name, "DefaultMallocZone") != 0) return;
    malloc_zone_register(&the_zone);
    while ((zone = first()) != &the_zone) {
        malloc_zone_unregister(zone);
        malloc_zone_register(zone);
        malloc_zone_unregister(purgeable);
        malloc_zone_register(purgeable);
    }
}
#endif
