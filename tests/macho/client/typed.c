// Typed calls: they come from the expected zone, each of them, or are not there.
#include "check.h"

static void gives(void *block, const char *law) {
    check(ours(block), law);
    free(block);
}

static void functions(void) {
    void *block;
    const uint64_t type = 0x100000001;
    gives(malloc_type_malloc(100, type), "malloc_type_malloc_takes_from_the_expected_zone");
    gives(malloc_type_calloc(10, 10, type), "malloc_type_calloc_takes_from_the_expected_zone");
    gives(malloc_type_realloc(NULL, 100, type), "malloc_type_realloc_takes_from_the_expected_zone");
    gives(malloc_type_realloc(malloc(10), 10000, type), "malloc_type_realloc_stays_in_the_expected_zone");
    gives(malloc_type_valloc(100, type), "malloc_type_valloc_takes_from_the_expected_zone");
    gives(malloc_type_aligned_alloc(64, 128, type), "malloc_type_aligned_alloc_takes_from_the_expected_zone");
    check(malloc_type_posix_memalign(&block, 64, 100, type) == 0, "malloc_type_posix_memalign_allocates");
    gives(block, "malloc_type_posix_memalign_takes_from_the_expected_zone");
    if (!expected_zone()) return; // malloc_type_free asks registered zones alone
    block = malloc_type_malloc(100, type);
    malloc_type_free(block, type);
    check(malloc_size(block) == 0, "malloc_type_free_frees");
    block = malloc(100);
    malloc_type_free(block, type);
    check(malloc_size(block) == 0, "malloc_type_free_frees_what_malloc_gave");
}

static void zone_functions(void) {
    struct zone *zone = malloc_default_zone();
    const uint64_t type = 0x100000001;
    gives(malloc_type_zone_malloc(zone, 100, type), "malloc_type_zone_malloc_takes_from_the_expected_zone");
    gives(
        malloc_type_zone_calloc(zone, 10, 10, type), "malloc_type_zone_calloc_takes_from_the_expected_zone");
    gives(malloc_type_zone_realloc(zone, malloc(10), 10000, type),
        "malloc_type_zone_realloc_stays_in_the_expected_zone");
    gives(malloc_type_zone_valloc(zone, 100, type), "malloc_type_zone_valloc_takes_from_the_expected_zone");
    gives(malloc_type_zone_memalign(zone, 64, 100, type),
        "malloc_type_zone_memalign_takes_from_the_expected_zone");
    void *block = malloc_type_zone_malloc(zone, 100, type);
    malloc_type_zone_free(zone, block, type);
    check(malloc_size(block) == 0, "malloc_type_zone_free_frees");
    if (malloc_type_zone_malloc_with_options)
        gives(malloc_type_zone_malloc_with_options(zone, 64, 128, type, 1),
            "malloc_type_zone_malloc_with_options_takes_from_the_expected_zone");
    struct zone *created = malloc_create_zone(0, 0);
    block = malloc_type_zone_malloc(created, 100, type);
    check(block && created->size(created, block) >= 100, "malloc_type_zone_malloc_takes_a_created_zone");
    malloc_type_zone_free(created, block, type);
    malloc_destroy_zone(created);
}

void typed_laws(bool present) {
    check((malloc_type_malloc != NULL) == present && (malloc_type_zone_malloc != NULL) == present,
        "typed_functions_are_there_on_a_new_system_only");
    if (!malloc_type_malloc) return;
    functions();
    zone_functions();
}
