// Calls before any initialiser has run, through the tuples: dyld-1378 applies them first, and the system's
// own initialisers allocate. Some blocks are older than that: the system's zone has to get them back.
#include "zones.h"
#include <string.h>

static char *old[5];
static unsigned checks, failed;

static void check(bool holds, const char *law) {
    checks++;
    if (holds) return;
    failed++;
    note("pre-init: FAIL %s", law);
}

void take_early_blocks(void) {
    for (unsigned i = 0; i < sizeof old / sizeof *old; i++) {
        old[i] = sys_malloc(100 + i);
        memset(old[i], 'a' + (int)i, 100);
    }
}

static bool gone(const char *block) {
    return first_zone()->size(first_zone(), block) == 0;
}

void check_early_calls(void) {
    char *block = PATCHED(sys_malloc)(24);
    check(block && PATCHED(sys_malloc_size)(block) >= 24, "malloc gives a block that malloc_size knows");
    memset(block, 'x', 24);
    block = PATCHED(sys_realloc)(block, 4000);
    check(block && block[0] == 'x' && block[23] == 'x', "realloc keeps what was there");
    PATCHED(sys_free)(block);
    block = PATCHED(sys_calloc)(100, 10);
    bool zero = block;
    for (unsigned i = 0; zero && i < 1000; i++) zero = block[i] == 0;
    check(zero, "calloc gives zeros");
    PATCHED(sys_free)(block);
    void *aligned = NULL;
    check(PATCHED(sys_posix_memalign)(&aligned, 256, 10) == 0 && (uintptr_t)aligned % 256 == 0,
        "posix_memalign aligns");
    PATCHED(sys_free)(aligned);

    struct zone *zone = PATCHED(sys_malloc_default_zone)();
    check(zone && zone->malloc, "there is a default zone");
    block = zone->malloc(zone, 32);
    check(block && PATCHED(sys_malloc_size)(block) >= 32,
        "the default zone gives blocks that malloc_size knows");
    zone->free(zone, block);
    block = PATCHED(sys_malloc_zone_malloc)(zone, 64);
    check(block != NULL, "malloc_zone_malloc takes the default zone");
    PATCHED(sys_malloc_zone_free)(zone, block);

    check(PATCHED(sys_malloc_size)(old[0]) == sys_malloc_size(old[0]), "malloc_size knows an older block");
    PATCHED(sys_free)(old[0]);
    check(gone(old[0]), "free gives an older block back to its zone");
    block = PATCHED(sys_realloc)(old[1], 4000);
    check(block && block[0] == 'b' && block[99] == 'b', "realloc moves an older block");
    check(gone(old[1]), "realloc gives an older block back to its zone");
    PATCHED(sys_free)(block);
    struct zone *owner = PATCHED(sys_malloc_zone_from_ptr)(old[2]);
    check(owner == &virtual_zone || owner == first_zone(), "malloc_zone_from_ptr knows an older block");
    PATCHED(sys_malloc_zone_free)(zone, old[2]);
    check(gone(old[2]), "malloc_zone_free gives an older block back to its zone");
    void *batch[] = {old[3], PATCHED(sys_malloc)(16), old[4]};
    PATCHED(sys_malloc_zone_batch_free)(zone, batch, 3);
    check(gone(old[3]) && gone(old[4]), "malloc_zone_batch_free gives older blocks back to their zone");
    note("pre-init: %u checks, %u failed", checks, failed);
}
