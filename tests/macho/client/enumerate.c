// What leaks and heap ask a zone for, in this process: each live block once, and no other.
#include "check.h"

enum { BLOCKS = 10 };
static void *wanted[BLOCKS];
static unsigned seen[BLOCKS], others;

static void record(unsigned task, void *context, unsigned type, struct range *ranges, unsigned count) {
    (void)task, (void)context;
    if (!(type & 1)) return;
    for (unsigned i = 0; i < count; i++) {
        bool known = false;
        for (unsigned k = 0; k < BLOCKS; k++) {
            if (ranges[i].address != (uintptr_t)wanted[k]) continue;
            known = true;
            seen[k] += ranges[i].size >= 100 + k;
        }
        others += !known;
    }
}

static unsigned count(void) {
    struct zone *zone = expected_zone();
    unsigned sum = 0;
    others = 0;
    for (unsigned i = 0; i < BLOCKS; i++) seen[i] = 0;
    if (zone->introspect->enumerator(0, NULL, 1, (uintptr_t)zone, NULL, record) != 0) return BLOCKS + 1;
    for (unsigned i = 0; i < BLOCKS; i++) sum += seen[i] == 1;
    return sum;
}

void enumerator_laws(void) {
    if (!expected_zone() || !expected_zone()->introspect || !expected_zone()->introspect->enumerator) return;
    for (unsigned i = 0; i < BLOCKS; i++) wanted[i] = NULL;
    count();
    unsigned before = others;
    for (unsigned i = 0; i < BLOCKS; i++) wanted[i] = malloc(100 + i);
    check(count() == BLOCKS, "the_enumerator_tells_each_block_once");
    check(others == before, "the_enumerator_tells_no_other_block");
    for (unsigned i = 0; i < BLOCKS; i++) free(wanted[i]);
    check(count() == 0, "the_enumerator_tells_no_freed_block");
}
