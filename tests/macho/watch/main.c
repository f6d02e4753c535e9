// watch ZONE PAGE PROCESS: what leaks and heap do. One process takes blocks and stops; the other, whose images
// lie elsewhere, has its own copy of the shim walk the first one's heap: each word of it is read across.
#include "../client/darwin.h"

enum { BLOCKS = 40, MOST = 1 << 16, SCRATCH = 256 << 20, STOP = 17, KILL = 9, UNTRACED = 2 };
int raise(int);
int kill(int, int);

static struct page {
    uintptr_t zone, blocks[BLOCKS];
} *page;
static unsigned checks, failed;

static void put(const char *text) {
    if (write(1, text, strlen(text)) < 0) _exit(3);
}

static void put_number(unsigned long number) {
    char digits[24], *at = digits + sizeof digits - 1;
    *at = 0;
    do *--at = (char)('0' + number % 10);
    while (number /= 10);
    put(at);
}

static void check(bool holds, const char *law) {
    checks++;
    failed += !holds;
    if (holds) return;
    put("FAIL ");
    put(law);
    put("\n");
}

static uintptr_t number(const char *text) {
    uintptr_t number = 0;
    for (; *text; text++) number = number * 10 + (uintptr_t)(*text - '0');
    return number;
}

static struct zone *named(const char *name) {
    uintptr_t *zones = NULL;
    unsigned count = 0;
    if (malloc_get_all_zones(0, NULL, &zones, &count) != 0) return NULL;
    for (unsigned i = 0; i < count; i++)
        if (strcmp(((struct zone *)zones[i])->name, name) == 0) return (struct zone *)zones[i];
    return NULL;
}

// Small ones, large ones and huge ones; every third is freed again.
static size_t size_of(unsigned i) {
    return i % 4 == 0 ? 20 + i : i % 4 == 1 ? 3000 + i : i % 4 == 2 ? 70000 + i : ((size_t)4 << 20) + i;
}

static bool is_freed(unsigned i) {
    return i % 3 == 0;
}

static void live_and_stop(struct zone *zone) {
    for (unsigned i = 0; i < BLOCKS; i++) page->blocks[i] = (uintptr_t)malloc(size_of(i));
    for (unsigned i = 0; i < BLOCKS; i++)
        if (is_freed(i)) free((void *)page->blocks[i]);
    page->zone = (uintptr_t)zone;
    raise(STOP);
    _exit(0); // who goes on was not asked to
}

static struct range seen[MOST];
static unsigned seen_count, foreign_tasks;
static unsigned the_task;

static void record(unsigned task, void *context, unsigned type, struct range *ranges, unsigned count) {
    foreign_tasks += task != the_task || context != &seen_count;
    for (unsigned i = 0; i < count && (type & 1) && seen_count < MOST; i++) seen[seen_count++] = ranges[i];
}

static char *scratch;
static size_t scratched;

static int reader(unsigned task, uintptr_t address, size_t size, void **local) {
    size_t read = 0, room = (size + 15) & ~(size_t)15;
    if (task != the_task || scratched + room > SCRATCH) return 3; // KERN_NO_SPACE
    *local = scratch + scratched;
    scratched += room;
    return mach_vm_read_overwrite(task, address, size, (uintptr_t)*local, &read);
}

static unsigned times(uintptr_t address, size_t at_least) {
    unsigned times = 0;
    for (unsigned i = 0; i < seen_count; i++) times += seen[i].address == address && seen[i].size >= at_least;
    return times;
}

static void walk(struct zone *zone) {
    void *own[BLOCKS];
    for (unsigned i = 0; i < BLOCKS; i++) own[i] = malloc(size_of(i) + 16);
    scratch = mmap(NULL, SCRATCH, READ_WRITE, MAP_PRIVATE_ANON, -1, 0);
    check((uintptr_t)zone != page->zone, "the_images_lie_elsewhere_there");
    int result = zone->introspect->enumerator(the_task, &seen_count, 1, page->zone, reader, record);
    check(result == 0, "the_heap_of_another_process_can_be_walked");
    unsigned live = 0, wanted = 0, freed = 0, ours = 0;
    size_t sum = 0;
    for (unsigned i = 0; i < BLOCKS; i++) {
        uintptr_t block = page->blocks[i];
        wanted += !is_freed(i);
        if (is_freed(i)) freed += times(block, 0);
        else live += times(block, size_of(i)) == 1 && times(block, 0) == 1;
        ours += times((uintptr_t)own[i], 0);
    }
    for (unsigned i = 0; i < seen_count; i++) sum += seen[i].size;
    check(live == wanted, "each_live_block_is_told_once");
    check(freed == 0, "no_freed_block_is_told");
    check(ours == 0, "no_block_of_the_tool_itself_is_told");
    check(foreign_tasks == 0, "the_recorder_gets_the_task_and_the_context");
    if (!zone->introspect->task_statistics) return;
    struct statistics stats = {0};
    void (*count)(unsigned, uintptr_t, reader_fn *, struct statistics *) =
        (void (*)(unsigned, uintptr_t, reader_fn *, struct statistics *))zone->introspect->task_statistics;
    count(the_task, page->zone, reader, &stats);
    check(stats.blocks == seen_count && stats.in_use == sum, "task_statistics_counts_the_same_blocks");
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    struct zone *zone = named(argv[1]);
    page = (struct page *)number(argv[2]);
    the_task = (unsigned)number(argv[3]);
    if (!zone) return 2;
    if (the_task == 0) live_and_stop(zone);
    int status = 0, waited = waitpid((int)the_task, &status, UNTRACED);
    check(waited == (int)the_task && (status & 0xff) == 0x7f, "the_other_process_is_stopped");
    if (failed == 0) walk(zone);
    kill((int)the_task, KILL);
    waitpid((int)the_task, &status, 0);
    put("client: ");
    put_number(checks);
    put(" checks, ");
    put_number(failed);
    put(" failed\n");
    return failed != 0;
}
