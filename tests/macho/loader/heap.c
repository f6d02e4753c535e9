// A zone of the system's own. Not Apple's algorithm: pages of 64 KiB, each for blocks of one power of two or
// a part of one large block, with a bit that tells where a live block begins. What matters is kept: size() is
// 0 for all else, freeing what is no block ends the program, the lock knows its owner, malloc sets errno.
#include "thread.h"
#include "zones.h"
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 1 << 16, PAGES = 4096, LEAST = 16, CLASSES = 12, LARGE = CLASSES + 1, LARGE_REST, NANO = 256 };

struct heap {
    struct zone zone;
    struct zone *larger;
    os_unfair_lock lock;
    struct statistics statistics;
    char *base;
    void *unused[CLASSES];
    uint8_t kind[PAGES];    // 0: unused, 1..: class + 1, LARGE, LARGE_REST
    uint32_t length[PAGES]; // of a large block, in pages
    uint8_t live[PAGES][PAGE / LEAST / 8];
};

static struct heap *heap_of(struct zone *zone) {
    return (struct heap *)zone;
}

static size_t class_size(unsigned class) {
    return (size_t)LEAST << class;
}

static unsigned class_of(size_t size) {
    unsigned class = 0;
    while (class_size(class) < size) class++;
    return class;
}

static void mark(struct heap *heap, const char *block, bool live) {
    size_t at = (size_t)(block - heap->base), bit = at % PAGE / LEAST;
    uint8_t *byte = &heap->live[at / PAGE][bit / 8];
    *byte = (uint8_t)(live ? *byte | 1u << bit % 8 : *byte & ~(1u << bit % 8));
}

static size_t own_size(struct heap *heap, const void *block) {
    if ((const char *)block < heap->base || (const char *)block >= heap->base + (size_t)PAGES * PAGE)
        return 0;
    size_t at = (size_t)((const char *)block - heap->base), page = at / PAGE, bit = at % PAGE / LEAST;
    if (at % LEAST || !(heap->live[page][bit / 8] >> bit % 8 & 1)) return 0;
    return heap->kind[page] == LARGE ? (size_t)heap->length[page] * PAGE : class_size(heap->kind[page] - 1u);
}

static char *take_pages(struct heap *heap, size_t count, size_t alignment) {
    size_t step = alignment > PAGE ? alignment / PAGE : 1;
    for (size_t from = 0; from + count <= PAGES; from += step) {
        size_t length = 0;
        while (length < count && heap->kind[from + length] == 0) length++;
        if (length < count) continue;
        memset(heap->kind + from, LARGE_REST, count);
        heap->length[from] = (uint32_t)count;
        return heap->base + from * PAGE;
    }
    return NULL;
}

static void *take(struct heap *heap, size_t size, size_t alignment) {
    if (size < alignment) size = alignment;
    if (size > (size_t)PAGES * PAGE) return NULL;
    if (size > class_size(CLASSES - 1)) {
        char *block = take_pages(heap, (size + PAGE - 1) / PAGE, alignment);
        if (block) heap->kind[(size_t)(block - heap->base) / PAGE] = LARGE;
        return block;
    }
    unsigned class = class_of(size);
    if (!heap->unused[class]) {
        char *page = take_pages(heap, 1, PAGE);
        if (!page) return NULL;
        heap->kind[(size_t)(page - heap->base) / PAGE] = (uint8_t)(class + 1);
        for (size_t at = PAGE; at > 0; at -= class_size(class)) {
            void **block = (void **)(page + at - class_size(class));
            *block = heap->unused[class];
            heap->unused[class] = block;
        }
    }
    void **block = heap->unused[class];
    heap->unused[class] = *block;
    return block;
}

static void *allocate(struct zone *zone, size_t size, size_t alignment, bool clear) {
    struct heap *heap = heap_of(zone);
    if (heap->larger && (size > NANO || alignment > LEAST))
        return clear ? heap->larger->calloc(heap->larger, 1, size)
                     : heap->larger->memalign(heap->larger, alignment, size);
    sys_os_unfair_lock_lock(&heap->lock);
    char *block = take(heap, size, alignment);
    if (block) {
        mark(heap, block, true);
        struct statistics *all = &heap->statistics;
        all->blocks++;
        all->in_use += own_size(heap, block);
        if (all->in_use > all->most_in_use) all->most_in_use = all->in_use;
    }
    sys_os_unfair_lock_unlock(&heap->lock);
    if (block) memset(block, clear ? 0 : 0xa5, size);
    return block;
}

static bool give_back(struct heap *heap, void *block) {
    sys_os_unfair_lock_lock(&heap->lock);
    size_t size = own_size(heap, block);
    if (size) {
        size_t page = (size_t)((char *)block - heap->base) / PAGE;
        mark(heap, block, false);
        heap->statistics.blocks--;
        heap->statistics.in_use -= size;
        if (heap->kind[page] == LARGE) {
            memset(heap->kind + page, 0, heap->length[page]);
        } else {
            unsigned class = heap->kind[page] - 1u;
            *(void **)block = heap->unused[class];
            heap->unused[class] = block;
        }
    }
    sys_os_unfair_lock_unlock(&heap->lock);
    return size != 0;
}

// The zone's own functions. malloc and calloc tell errno, as zones of version 13 and newer must.
static size_t size_of(struct zone *zone, const void *block) {
    struct heap *heap = heap_of(zone);
    size_t size = own_size(heap, block);
    return size || !heap->larger ? size : heap->larger->size(heap->larger, block);
}

static void *told(void *block) {
    if (!block) *darwin_errno() = DARWIN_ENOMEM;
    return block;
}

static void *zone_malloc(struct zone *zone, size_t size) {
    return told(allocate(zone, size, LEAST, false));
}

static void *zone_calloc(struct zone *zone, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return told(NULL);
    return told(allocate(zone, bytes, LEAST, true));
}

static void *zone_memalign(struct zone *zone, size_t alignment, size_t size) {
    return allocate(zone, size, alignment < LEAST ? LEAST : alignment, false);
}

static void *zone_valloc(struct zone *zone, size_t size) {
    return zone_memalign(zone, vm_page_size, size);
}

static void zone_free(struct zone *zone, void *block) {
    struct heap *heap = heap_of(zone);
    if (!block || give_back(heap, block)) return;
    if (!heap->larger) fault("*** error for object %p: pointer being freed was not allocated", block);
    heap->larger->free(heap->larger, block);
}

static void zone_free_definite(struct zone *zone, void *block, size_t size) {
    if (size_of(zone, block) != size)
        fault("*** error for object %p: a size of %zu is not its own", block, size);
    zone_free(zone, block);
}

static void *zone_realloc(struct zone *zone, void *old, size_t size) {
    if (!old) return zone_malloc(zone, size);
    size_t was = size_of(zone, old);
    if (!was) fault("*** error for object %p: pointer being realloc'd was not allocated", old);
    if (size <= was && size > was / 2) return old;
    void *block = zone_malloc(zone, size);
    if (!block) return NULL;
    memcpy(block, old, size < was ? size : was);
    zone_free(zone, old);
    return block;
}

static unsigned zone_batch_malloc(struct zone *zone, size_t size, void **blocks, unsigned count) {
    unsigned i = 0;
    while (i < count && (blocks[i] = zone_malloc(zone, size))) i++;
    return i;
}

static void zone_batch_free(struct zone *zone, void **blocks, unsigned count) {
    for (unsigned i = 0; i < count; i++) zone_free(zone, blocks[i]);
}

static void *zone_with_options(struct zone *zone, size_t alignment, size_t size, uint64_t options) {
    return allocate(zone, size, alignment < LEAST ? LEAST : alignment, options & OPTION_CLEAR);
}

static void *type_malloc(struct zone *zone, size_t size, uint64_t type) {
    (void)type;
    return zone_malloc(zone, size);
}

static void *type_calloc(struct zone *zone, size_t count, size_t size, uint64_t type) {
    (void)type;
    return zone_calloc(zone, count, size);
}

static void *type_realloc(struct zone *zone, void *old, size_t size, uint64_t type) {
    (void)type;
    return zone_realloc(zone, old, size);
}

static void *type_memalign(struct zone *zone, size_t alignment, size_t size, uint64_t type) {
    (void)type;
    return zone_memalign(zone, alignment, size);
}

static void *type_with_options(
    struct zone *zone, size_t alignment, size_t size, uint64_t options, uint64_t type) {
    (void)type;
    return zone_with_options(zone, alignment, size, options);
}

static size_t relieve(struct zone *zone, size_t goal) {
    (void)zone, (void)goal;
    return 0;
}

static int claims(struct zone *zone, void *address) {
    struct heap *heap = heap_of(zone);
    bool own = (char *)address >= heap->base && (char *)address < heap->base + (size_t)PAGES * PAGE;
    return own || (heap->larger && heap->larger->claimed_address(heap->larger, address));
}

static size_t good_size(struct zone *zone, size_t size) {
    (void)zone;
    return size <= class_size(CLASSES - 1) ? class_size(class_of(size)) : (size + PAGE - 1) / PAGE * PAGE;
}

// All that it needs is read through the reader, if there is one: the heap may be another process's.
static int enumerate(
    unsigned task, void *context, unsigned types, uintptr_t zone, reader_fn *reader, recorder_fn *record) {
    void *local = (void *)zone;
    if (reader && reader(task, zone, sizeof(struct heap), &local) != 0) return 5; // KERN_FAILURE
    struct heap *heap = local;
    for (size_t at = 0; types & ENUMERATE_BLOCKS && at < (size_t)PAGES * PAGE;
        at += heap->kind[at / PAGE] ? LEAST : PAGE) {
        struct range range = {(uintptr_t)heap->base + at, own_size(heap, heap->base + at)};
        if (range.size) record(task, context, ENUMERATE_BLOCKS, &range, 1);
    }
    return 0;
}

static int yes(struct zone *zone) {
    (void)zone;
    return 1;
}

static void print(struct zone *zone, int verbose) {
    (void)zone, (void)verbose;
}

static void watch(struct zone *zone, void *address) {
    (void)zone, (void)address;
}

static void force_lock(struct zone *zone) {
    sys_os_unfair_lock_lock(&heap_of(zone)->lock);
}

static void force_unlock(struct zone *zone) {
    sys_os_unfair_lock_unlock(&heap_of(zone)->lock);
}

static void reinit(struct zone *zone) {
    heap_of(zone)->lock = 0;
}

static int locked(struct zone *zone) {
    return heap_of(zone)->lock != 0;
}

static void tell(struct zone *zone, struct statistics *statistics) {
    *statistics = heap_of(zone)->statistics;
}

static struct introspection introspection = {
    .enumerator = enumerate,
    .good_size = good_size,
    .check = yes,
    .print = print,
    .log = watch,
    .force_lock = force_lock,
    .force_unlock = force_unlock,
    .statistics = tell,
    .zone_locked = locked,
    .reinit_lock = reinit,
};

bool is_heap(const struct zone *zone) {
    return zone->introspect == &introspection;
}

struct zone *make_heap(const char *name, struct zone *larger) {
    struct heap *heap = darwin_mmap(sizeof *heap);
    char *base = heap ? darwin_mmap((size_t)(PAGES + 64) * PAGE) : NULL;
    if (!base) refuse("no room for a zone");
    // A part that is aligned to 4 MiB, so that blocks can be.
    heap->base = (char *)(((uintptr_t)base + 64 * PAGE - 1) & ~((uintptr_t)64 * PAGE - 1));
    heap->larger = larger;
    heap->zone = (struct zone){
        .size = size_of,
        .malloc = zone_malloc,
        .calloc = zone_calloc,
        .valloc = zone_valloc,
        .free = zone_free,
        .realloc = zone_realloc,
        .destroy = destroy_heap,
        .name = name,
        .batch_malloc = zone_batch_malloc,
        .batch_free = zone_batch_free,
        .introspect = &introspection,
        .version = 16,
        .memalign = zone_memalign,
        .free_definite_size = zone_free_definite,
        .pressure_relief = relieve,
        .claimed_address = claims,
        .malloc_with_options = zone_with_options,
        .type_malloc = type_malloc,
        .type_calloc = type_calloc,
        .type_realloc = type_realloc,
        .type_memalign = type_memalign,
        .type_malloc_with_options = type_with_options,
    };
    return &heap->zone;
}

// What it held is no memory any more: who touches it dies.
void destroy_heap(struct zone *zone) {
    struct heap *heap = heap_of(zone);
    mprotect(heap->base, (size_t)PAGES * PAGE, PROT_NONE);
    zone->introspect = NULL;
}
