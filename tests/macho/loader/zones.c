// The list of zones and the virtual default zone (libmalloc-792.41.1 src/malloc.c).
#include "thread.h"
#include "zones.h"
#include <stdio.h>
#include <string.h>

enum { MOST_ZONES = 64 };
static struct zone *zones[MOST_ZONES], *purgeable;
static unsigned zone_count;
static os_unfair_lock list_lock;

struct zone *first_zone(void) {
    return zones[0];
}

// find_registered_zone: the first zone is asked first, and stands as the virtual one for what it has.
struct zone *zone_of(const void *block, size_t *size) {
    for (unsigned i = 0; i < zone_count; i++) {
        size_t has = zones[i]->size(zones[i], block);
        if (!has) continue;
        if (size) *size = has;
        return i == 0 ? &virtual_zone : zones[i];
    }
    return NULL;
}

struct zone *sys_malloc_default_zone(void) {
    return &virtual_zone;
}

// create_purgeable_zone takes the zone that stands first for the system's own: it must have been called
// before another stands there.
struct zone *sys_malloc_default_purgeable_zone(void) {
    if (purgeable) return purgeable;
    if (!is_heap(zones[0])) fault("the purgeable zone is made over a zone that is not the system's");
    purgeable = make_heap("DefaultPurgeableMallocZone", NULL);
    sys_malloc_zone_register(purgeable);
    return purgeable;
}

struct zone *sys_malloc_create_zone(size_t start, unsigned flags) {
    (void)start, (void)flags;
    struct zone *zone = make_heap("a zone of the program's", NULL);
    sys_malloc_zone_register(zone);
    return zone;
}

void sys_malloc_destroy_zone(struct zone *zone) {
    sys_malloc_zone_unregister(zone);
    zone->destroy(zone);
}

void sys_malloc_zone_register(struct zone *zone) {
    sys_os_unfair_lock_lock(&list_lock);
    for (unsigned i = 0; i < zone_count; i++)
        if (zones[i] == zone) fault("Attempted to register zone more than once: %p", (void *)zone);
    if (zone_count == MOST_ZONES) fault("too many zones");
    zones[zone_count++] = zone;
    sys_os_unfair_lock_unlock(&list_lock);
}

// The last zone fills the gap: this is how one comes to stand first.
void sys_malloc_zone_unregister(struct zone *zone) {
    sys_os_unfair_lock_lock(&list_lock);
    unsigned i = 0;
    while (i < zone_count && zones[i] != zone) i++;
    if (i == zone_count) note("malloc_zone_unregister() failed for %p", (void *)zone);
    else zones[i] = zones[--zone_count];
    sys_os_unfair_lock_unlock(&list_lock);
}

int sys_malloc_get_all_zones(unsigned task, reader_fn *reader, uintptr_t **addresses, unsigned *count) {
    (void)task, (void)reader;
    *addresses = (uintptr_t *)zones;
    *count = zone_count;
    return 0;
}

const char *sys_malloc_get_zone_name(struct zone *zone) {
    return zone->name;
}

// The name is a copy from the zone itself; the one before goes back, if it was such a copy.
void sys_malloc_set_zone_name(struct zone *zone, const char *name) {
    char *old = (char *)(uintptr_t)zone->name, *copy = zone->malloc(zone, strlen(name) + 1);
    if (copy) zone->name = strcpy(copy, name);
    if (copy && zone_of(old, NULL)) sys_free(old);
}

// fork: every zone that is registered, through its introspection, without a look at what is NULL there. A
// child makes locks anew from version 9 on, and gives them back before.
void sys_malloc_fork_prepare(void) {
    sys_os_unfair_lock_lock(&list_lock);
    for (unsigned i = 0; i < zone_count; i++) zones[i]->introspect->force_lock(zones[i]);
}

void sys_malloc_fork_parent(void) {
    for (unsigned i = 0; i < zone_count; i++) zones[i]->introspect->force_unlock(zones[i]);
    sys_os_unfair_lock_unlock(&list_lock);
}

void sys_malloc_fork_child(void) {
    for (unsigned i = 0; i < zone_count; i++) {
        struct introspection *introspect = zones[i]->introspect;
        if (zones[i]->version >= 9) introspect->reinit_lock(zones[i]);
        else introspect->force_unlock(zones[i]);
    }
    list_lock = 0;
}

// Nano's layout: small blocks from the first zone, the rest from its helper. A first zone of another name is
// what a sanitizer or another allocator leaves.
void set_up_zones(const char *first, bool nano) {
    struct zone *helper = nano ? make_heap("MallocHelperZone", NULL) : NULL;
    sys_malloc_zone_register(make_heap(first, helper));
    if (helper) sys_malloc_zone_register(helper);
}

void report_zones(void) {
    char line[512] = "";
    for (unsigned i = 0, at = 0; i < zone_count && at < sizeof line; i++)
        at += (unsigned)snprintf(
            line + at, sizeof line - at, "%s%s v%u", i ? ", " : "", zones[i]->name, zones[i]->version);
    note("zones: %s", line);
}

// The virtual zone forwards to the one that stands first, to most of its slots without a look at NULL
// (default_zone_*); what is freed or resized through it may be any zone's.
static size_t v_size(struct zone *zone, const void *block) {
    (void)zone;
    return zones[0]->size(zones[0], block);
}

static void *v_malloc(struct zone *zone, size_t size) {
    (void)zone;
    return zones[0]->malloc(zones[0], size);
}

static void *v_calloc(struct zone *zone, size_t count, size_t size) {
    (void)zone;
    return zones[0]->calloc(zones[0], count, size);
}

static void *v_valloc(struct zone *zone, size_t size) {
    (void)zone;
    return zones[0]->valloc(zones[0], size);
}

static void v_free(struct zone *zone, void *block) {
    (void)zone;
    sys_free(block);
}

static void *v_realloc(struct zone *zone, void *old, size_t size) {
    (void)zone;
    struct zone *owner = old ? zone_of(old, NULL) : NULL;
    if (!owner || owner == &virtual_zone) owner = zones[0];
    return owner->realloc(owner, old, size);
}

static void v_destroy(struct zone *zone) {
    (void)zone;
    fault("the default zone is destroyed");
}

static unsigned v_batch_malloc(struct zone *zone, size_t size, void **blocks, unsigned count) {
    (void)zone;
    return zones[0]->batch_malloc(zones[0], size, blocks, count);
}

static void v_batch_free(struct zone *zone, void **blocks, unsigned count) {
    (void)zone;
    zones[0]->batch_free(zones[0], blocks, count);
}

static void *v_memalign(struct zone *zone, size_t alignment, size_t size) {
    (void)zone;
    return zones[0]->memalign(zones[0], alignment, size);
}

static void v_free_definite(struct zone *zone, void *block, size_t size) {
    (void)zone;
    zones[0]->free_definite_size(zones[0], block, size);
}

static size_t v_relieve(struct zone *zone, size_t goal) {
    (void)zone;
    return zones[0]->pressure_relief(zones[0], goal);
}

static int v_claims(struct zone *zone, void *address) {
    (void)zone;
    int (*claims)(struct zone *, void *) = zones[0]->version >= 10 ? zones[0]->claimed_address : NULL;
    return claims ? claims(zones[0], address) : 1;
}

static void *v_with_options(struct zone *zone, size_t alignment, size_t size, uint64_t options) {
    return sys_malloc_zone_malloc_with_options(
        zone == &virtual_zone ? zones[0] : zone, alignment, size, options);
}

static void *v_type_malloc(struct zone *zone, size_t size, uint64_t type) {
    (void)zone;
    return zones[0]->version >= 16 ? zones[0]->type_malloc(zones[0], size, type)
                                   : zones[0]->malloc(zones[0], size);
}

static void *v_type_calloc(struct zone *zone, size_t count, size_t size, uint64_t type) {
    (void)zone;
    return zones[0]->version >= 16 ? zones[0]->type_calloc(zones[0], count, size, type)
                                   : zones[0]->calloc(zones[0], count, size);
}

static void *v_type_realloc(struct zone *zone, void *old, size_t size, uint64_t type) {
    struct zone *owner = old ? zone_of(old, NULL) : NULL;
    if (owner == &virtual_zone && zones[0]->version >= 16)
        return zones[0]->type_realloc(zones[0], old, size, type);
    return v_realloc(zone, old, size);
}

static void *v_type_memalign(struct zone *zone, size_t alignment, size_t size, uint64_t type) {
    (void)zone;
    return zones[0]->version >= 16 ? zones[0]->type_memalign(zones[0], alignment, size, type)
                                   : zones[0]->memalign(zones[0], alignment, size);
}

static int v_enumerate(
    unsigned task, void *context, unsigned types, uintptr_t zone, reader_fn *reader, recorder_fn *record) {
    (void)zone;
    return zones[0]->introspect->enumerator(task, context, types, (uintptr_t)zones[0], reader, record);
}

static size_t v_good_size(struct zone *zone, size_t size) {
    (void)zone;
    return zones[0]->introspect->good_size(zones[0], size);
}

static int v_check(struct zone *zone) {
    (void)zone;
    return zones[0]->introspect->check(zones[0]);
}

static void v_statistics(struct zone *zone, struct statistics *statistics) {
    (void)zone;
    zones[0]->introspect->statistics(zones[0], statistics);
}

static int v_locked(struct zone *zone) {
    (void)zone;
    return zones[0]->introspect->zone_locked(zones[0]);
}

static struct introspection v_introspection = {
    .enumerator = v_enumerate,
    .good_size = v_good_size,
    .check = v_check,
    .statistics = v_statistics,
    .zone_locked = v_locked,
};

struct zone virtual_zone = {
    .size = v_size,
    .malloc = v_malloc,
    .calloc = v_calloc,
    .valloc = v_valloc,
    .free = v_free,
    .realloc = v_realloc,
    .destroy = v_destroy,
    .name = "DefaultMallocZone",
    .batch_malloc = v_batch_malloc,
    .batch_free = v_batch_free,
    .introspect = &v_introspection,
    .version = 16,
    .memalign = v_memalign,
    .free_definite_size = v_free_definite,
    .pressure_relief = v_relieve,
    .claimed_address = v_claims,
    .malloc_with_options = v_with_options,
    .type_malloc = v_type_malloc,
    .type_calloc = v_type_calloc,
    .type_realloc = v_type_realloc,
    .type_memalign = v_type_memalign,
};
