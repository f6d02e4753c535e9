// What leaks and heap ask a zone for: each live block once, and no other; in this process, and in another
// one, of which every word is read through the reader.
#include "check.h"

enum { BLOCKS = 10, SCRATCH = 64 << 20, NO_HANG = 1 };
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

// How many of these of the wanted blocks are told once.
static unsigned count(unsigned task, reader_fn *reader, unsigned from, unsigned to) {
    struct zone *zone = expected_zone();
    unsigned sum = 0;
    others = 0;
    for (unsigned i = 0; i < BLOCKS; i++) seen[i] = 0;
    if (zone->introspect->enumerator(task, NULL, 1, (uintptr_t)zone, reader, record) != 0) return BLOCKS + 1;
    for (unsigned i = from; i < to; i++) sum += seen[i] == 1;
    return sum;
}

static char *scratch;
static size_t scratched;

static int reader(unsigned task, uintptr_t address, size_t size, void **local) {
    size_t read = 0, room = (size + 15) & ~(size_t)15;
    if (scratched + room > SCRATCH) return 3; // KERN_NO_SPACE
    *local = scratch + scratched;
    scratched += room;
    return mach_vm_read_overwrite(task, address, size, (uintptr_t)*local, &read);
}

struct shared {
    _Atomic int stage;
    void *blocks[BLOCKS];
};

// The child frees the first half and takes other blocks; this process frees the second half.
static void in_a_child(void) {
    struct shared *shared = mmap(NULL, sizeof *shared, READ_WRITE, MAP_SHARED_ANON, -1, 0);
    scratch = mmap(NULL, SCRATCH, READ_WRITE, MAP_PRIVATE_ANON, -1, 0);
    for (unsigned i = 0; i < BLOCKS; i++) wanted[i] = malloc(100 + i);
    int child = fork();
    if (child == 0) {
        for (unsigned i = 0; i < BLOCKS / 2; i++) free(wanted[i]);
        for (unsigned i = 0; i < BLOCKS; i++) shared->blocks[i] = malloc(150 + i);
        shared->stage = 1;
        while (shared->stage != 2) usleep(1000);
        _exit(0);
    }
    while (shared->stage != 1 && waitpid(child, NULL, NO_HANG) == 0) usleep(1000);
    check(shared->stage == 1, "the_child_lives");
    if (shared->stage != 1) return;
    for (unsigned i = BLOCKS / 2; i < BLOCKS; i++) free(wanted[i]);
    check(count((unsigned)child, reader, BLOCKS / 2, BLOCKS) == BLOCKS / 2,
        "the_enumerator_tells_what_a_child_has");
    check(count((unsigned)child, reader, 0, BLOCKS / 2) == 0,
        "the_enumerator_tells_nothing_that_the_child_freed");
    for (unsigned i = 0; i < BLOCKS / 2; i++) free(wanted[i]);
    for (unsigned i = 0; i < BLOCKS; i++) wanted[i] = shared->blocks[i];
    check(count((unsigned)child, reader, 0, BLOCKS) == BLOCKS, "the_enumerator_tells_what_the_child_took");
    shared->stage = 2;
    waitpid(child, NULL, 0);
}

void enumerator_laws(void) {
    if (!expected_zone() || !expected_zone()->introspect || !expected_zone()->introspect->enumerator) return;
    for (unsigned i = 0; i < BLOCKS; i++) wanted[i] = NULL;
    count(0, NULL, 0, BLOCKS);
    unsigned before = others;
    for (unsigned i = 0; i < BLOCKS; i++) wanted[i] = malloc(100 + i);
    check(count(0, NULL, 0, BLOCKS) == BLOCKS, "the_enumerator_tells_each_block_once");
    check(others == before, "the_enumerator_tells_no_other_block");
    for (unsigned i = 0; i < BLOCKS; i++) free(wanted[i]);
    check(count(0, NULL, 0, BLOCKS) == 0, "the_enumerator_tells_no_freed_block");
    in_a_child();
}
