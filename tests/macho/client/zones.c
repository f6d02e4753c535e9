// Zones: the list, the default zone, and zones of the program's own beside it.
#include "check.h"

static bool listed(const struct zone *zone) {
    struct zone **zones;
    unsigned count = all_zones(&zones);
    for (unsigned i = 0; i < count; i++)
        if (zones[i] == zone) return true;
    return false;
}

void zone_laws(void) {
    struct zone **zones, *zone = malloc_default_zone();
    int local = 0;
    check(all_zones(&zones) > 0, "there_are_zones");
    check(expected_zone() != NULL, "the_expected_zone_is_registered");
    check(all_zones(&zones) > 0 && zones[0] == expected_zone(), "the_expected_zone_stands_first");
    struct zone *purgeable = malloc_default_purgeable_zone();
    check(purgeable && listed(purgeable), "the_purgeable_zone_is_registered");
    char *block = malloc_zone_malloc(purgeable, 50);
    check(block && purgeable->size(purgeable, block) >= 50 && malloc_zone_from_ptr(block) == purgeable,
        "the_purgeable_zone_has_its_blocks");
    free(block);

    block = malloc_zone_malloc(zone, 70);
    check(ours(block), "malloc_zone_malloc_takes_the_default_zone");
    memset(block, 'z', 70);
    block = malloc_zone_realloc(zone, block, 7000);
    check(ours(block) && filled(block, 'z', 70), "malloc_zone_realloc_keeps_the_contents");
    malloc_zone_free(zone, block);
    block = malloc_zone_calloc(zone, 7, 10);
    check(ours(block) && filled(block, 0, 70), "malloc_zone_calloc_clears");
    malloc_zone_free(zone, block);
    block = malloc_zone_valloc(zone, 10);
    check(ours(block) && ((uintptr_t)block & (vm_page_size - 1)) == 0, "malloc_zone_valloc_is_page_aligned");
    malloc_zone_free(zone, block);
    block = malloc_zone_memalign(zone, 512, 10);
    check(ours(block) && ((uintptr_t)block & 511) == 0, "malloc_zone_memalign_aligns");
    malloc_zone_free(zone, block);
    errno = 7;
    check(
        malloc_zone_memalign(zone, 3, 10) == NULL && malloc_zone_memalign(zone, 4, 10) == NULL && errno == 7,
        "malloc_zone_memalign_refuses_odd_alignments");
    check(malloc_zone_from_ptr(&local) == NULL && malloc_zone_from_ptr(NULL) == NULL,
        "no_zone_has_what_is_no_block");

    void *batch[8];
    unsigned count = malloc_zone_batch_malloc(zone, 33, batch, 8);
    bool all = count > 0;
    for (unsigned i = 0; i < count; i++) all &= ours(batch[i]);
    check(all, "malloc_zone_batch_malloc_takes_the_default_zone");
    void *first = count ? batch[0] : NULL;
    malloc_zone_batch_free(zone, batch, count);
    check(malloc_size(first) == 0, "malloc_zone_batch_free_frees");
    check(malloc_zone_check(NULL), "all_zones_are_sound");
    if (malloc_zone_malloc_with_options) {
        block = malloc_zone_malloc_with_options(NULL, 8, 100, 1);
        check(ours(block) && filled(block, 0, 100), "malloc_zone_malloc_with_options_clears");
        free(block);
        block = malloc_zone_malloc_with_options(zone, 256, 512, 0);
        check(ours(block) && ((uintptr_t)block & 255) == 0, "malloc_zone_malloc_with_options_aligns");
        free(block);
        check(malloc_zone_malloc_with_options(zone, 256, 100, 0) == NULL,
            "malloc_zone_malloc_with_options_refuses_odd_sizes");
    }
}

// What the virtual default zone and fork call without a look: of the zone, if it is registered.
void slot_laws(void) {
    struct zone *zone = expected_zone();
    if (!zone) return;
    check(zone->size && zone->malloc && zone->calloc && zone->valloc && zone->free && zone->realloc &&
              zone->destroy,
        "the_zones_first_slots_are_filled");
    check(zone->batch_malloc && zone->batch_free && zone->memalign && zone->free_definite_size &&
              zone->pressure_relief,
        "the_slots_that_the_default_zone_forwards_are_filled");
    check(zone->version < 13 || !zone->try_free_default, "try_free_default_is_empty");
    check(zone->version < 15 || zone->malloc_with_options, "malloc_with_options_is_filled");
    check(zone->version < 16 ||
              (zone->type_malloc && zone->type_calloc && zone->type_realloc && zone->type_memalign),
        "the_typed_slots_are_filled");
    struct introspection *introspect = zone->introspect;
    check(introspect != NULL, "the_zone_has_an_introspection");
    if (!introspect) return;
    check(introspect->enumerator && introspect->good_size && introspect->check && introspect->print &&
              introspect->log,
        "the_introspections_first_slots_are_filled");
    check(introspect->force_lock && introspect->force_unlock && introspect->statistics &&
              introspect->zone_locked,
        "the_introspections_locks_are_filled");
    check(zone->version < 9 || introspect->reinit_lock, "reinit_lock_is_filled");
    check(zone->version < 14 || introspect->zone_type == 0, "the_zones_type_is_0");

    char *block = zone->malloc(zone, 123);
    size_t size = zone->size(zone, block);
    check(size >= 123 && malloc_size(block) == size, "the_slot_size_agrees_with_malloc_size");
    check(zone->version < 10 || !zone->claimed_address || zone->claimed_address(zone, block),
        "the_zone_claims_its_blocks");
    check(zone->size(zone, block + 16) == 0, "the_slot_size_of_an_inner_address_is_0");
    memset(block, 'k', 123);
    block = zone->realloc(zone, block, 5000);
    check(block && filled(block, 'k', 123), "the_slot_realloc_keeps_the_contents");
    zone->free_definite_size(zone, block, zone->size(zone, block));
    check(zone->size(zone, block) == 0, "free_definite_size_frees");
    errno = 0;
    check(zone->malloc(zone, SIZE_MAX / 2) == NULL && (zone->version < 13 || errno == ENOMEM),
        "the_slot_malloc_sets_enomem_itself");
    errno = 0;
    check(zone->calloc(zone, SIZE_MAX / 2, 16) == NULL && (zone->version < 13 || errno == ENOMEM),
        "the_slot_calloc_sets_enomem_itself");
    void *batch[4];
    unsigned count = zone->batch_malloc(zone, 48, batch, 4);
    check(count > 0 && zone->size(zone, batch[0]) >= 48, "the_slot_batch_malloc_allocates");
    zone->batch_free(zone, batch, count);
    check(introspect->good_size(zone, 100) >= 100 && introspect->check(zone), "the_zone_is_sound");
    block = malloc(64);
    struct statistics statistics;
    malloc_zone_statistics(zone, &statistics);
    check(statistics.blocks > 0 && statistics.in_use >= 64, "the_zone_counts_its_blocks");
    free(block);
    introspect->force_lock(zone);
    introspect->force_unlock(zone);
    check(!introspect->zone_locked(zone), "force_unlock_undoes_force_lock");
    malloc_zone_pressure_relief(zone, 0);
}

// A zone beside ours: nothing of it may end in ours.
void foreign_laws(void) {
    struct zone *zone = malloc_create_zone(0, 0);
    check(zone && listed(zone), "a_created_zone_is_registered");
    char *block = malloc_zone_malloc(zone, 100);
    check(block && zone->size(zone, block) >= 100, "a_created_zone_has_its_blocks");
    check(malloc_zone_from_ptr(block) == zone, "malloc_zone_from_ptr_knows_a_created_zone");
    check(malloc_size(block) >= 100, "malloc_size_knows_a_created_zone");
    memset(block, 'f', 100);
    block = realloc(block, 5000);
    check(block && filled(block, 'f', 100) && zone->size(zone, block) >= 5000,
        "realloc_stays_in_a_created_zone");
    block = malloc_zone_realloc(zone, block, 50000);
    check(block && filled(block, 'f', 100) && zone->size(zone, block) >= 50000,
        "malloc_zone_realloc_stays_in_a_created_zone");
    free(block);
    check(zone->size(zone, block) == 0, "free_gives_back_to_a_created_zone");
    block = malloc_zone_calloc(zone, 3, 30);
    check(block && zone->size(zone, block) >= 90 && filled(block, 0, 90),
        "malloc_zone_calloc_takes_a_created_zone");
    malloc_zone_free(malloc_default_zone(), block);
    check(zone->size(zone, block) == 0, "malloc_zone_free_gives_back_to_the_owner");
    block = malloc_zone_memalign(zone, 1024, 10);
    check(block && zone->size(zone, block) && (uintptr_t)block % 1024 == 0,
        "malloc_zone_memalign_takes_a_created_zone");
    malloc_zone_free(zone, block);
    block = malloc_zone_valloc(zone, 10);
    check(block && zone->size(zone, block), "malloc_zone_valloc_takes_a_created_zone");
    malloc_zone_free(zone, block);
    void *batch[4];
    unsigned count = malloc_zone_batch_malloc(zone, 20, batch, 4);
    check(count == 0 || zone->size(zone, batch[0]) >= 20, "malloc_zone_batch_malloc_takes_a_created_zone");
    malloc_zone_batch_free(zone, batch, count);
    check(
        count == 0 || zone->size(zone, batch[0]) == 0, "malloc_zone_batch_free_gives_back_to_a_created_zone");
    block = malloc_zone_malloc(zone, 10);
    malloc_destroy_zone(zone);
    check(!listed(zone), "a_destroyed_zone_is_gone");
    check(malloc_size(block) == 0, "so_are_its_blocks");
}
