/* SPDX-License-Identifier: 0BSD
 *
 * simple_heap: a small, complete, thread-safe memory allocator.
 *
 *   chunk   4 MiB of address space, aligned to 4 MiB: a header and 63 slices
 *   slice   64 KiB, the unit that spans are cut from and return to
 *   span    one or more slices: many small blocks of one class, or a single larger block (a "run")
 *   huge    a block above 1 MiB: a mapping of its own that starts where a chunk would start
 *
 * So an address alone tells everything. A block at a chunk boundary is huge, as a chunk begins with its
 * header; any other block finds its span by masking. A table with one word per 4 MiB of address space
 * answers `owns` for every address, and holds the sizes of huge blocks.
 *
 * Small blocks come from a few heaps, each with one lock; threads take turns at choosing theirs. A block
 * goes back to the heap it came from, whoever frees it. Nothing is kept per thread but that choice, so a
 * thread that ends leaves nothing behind, and a free after its end is like any other.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mremap, secure_getenv */
#endif
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *simple_heap_malloc(size_t size);
void simple_heap_free(void *ptr);
void *simple_heap_calloc(size_t nmemb, size_t size);
void *simple_heap_realloc(void *ptr, size_t size);
void *simple_heap_memalign(size_t alignment, size_t size);
size_t simple_heap_malloc_usable_size(void *ptr);
bool simple_heap_owns(const void *ptr);
void simple_heap_malloc_lock(void);
void simple_heap_malloc_unlock(void);
void simple_heap_malloc_reinit(void);

/* ---- the operating system ------------------------------------------------------------------------- */

/* Pages come zeroed, and sizes are multiples of 64 KiB: no system has larger base pages.
 * Each of these keeps errno, so that free and a successful malloc do. */

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
enum { OS_REMAPS = 1 };
#else
enum { OS_REMAPS = 0 };
#endif
#if defined(__APPLE__)
#include <pthread.h>
#endif

static void *os_map(size_t size, bool usable)
{
    int saved = errno;
    void *p = mmap(NULL, size, usable ? PROT_READ | PROT_WRITE : PROT_NONE, MAP_PRIVATE | MAP_ANON, -1, 0);
    errno = saved;
    return p == MAP_FAILED ? NULL : p;
}

static bool os_make_usable(void *p, size_t size)
{
    int saved = errno;
    bool done = mprotect(p, size, PROT_READ | PROT_WRITE) == 0;
    errno = saved;
    return done;
}

/* Gives the pages back but keeps the addresses; they read as zero afterwards. */
static bool os_purge(void *p, size_t size)
{
    int saved = errno;
#if defined(__linux__)
    bool done = madvise(p, size, MADV_DONTNEED) == 0; /* refused for locked memory */
#else
    bool done = false;
#endif
    if (!done)
        done = mmap(p, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON | MAP_FIXED, -1, 0) == p;
    errno = saved;
    return done;
}

static void os_unmap(void *p, size_t size)
{
    int saved = errno;
    if (munmap(p, size) != 0) /* splitting a mapping can exceed the system's limit: lose addresses, not memory */
        (void)os_purge(p, size);
    errno = saved;
}

/* Resizes a mapping where it is (`to` equal to `from`), or moves it onto reserved addresses. */
static bool os_remap(void *from, size_t old_size, void *to, size_t size)
{
#if defined(__linux__)
    int saved = errno;
    void *p = from == to ? mremap(from, old_size, size, 0)
                         : mremap(from, old_size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
    errno = saved;
    return p == to;
#else
    (void)from, (void)old_size, (void)to, (void)size;
    return false;
#endif
}

/* Called again and again while a lock is taken. Yielding alone never lets a holder of lower real-time
 * priority run, hence the nap; the C library's nanosleep would be a cancellation point. */
static void os_wait(unsigned turn)
{
    int saved = errno;
    if (turn < 64) {
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#endif
    } else if (turn < 256) {
        sched_yield();
    } else {
#if defined(SYS_nanosleep)
        long nap[2] = {0, 50000};
        syscall(SYS_nanosleep, nap, NULL);
#else
        sched_yield();
#endif
    }
    errno = saved;
}

static const char *os_getenv(const char *name)
{
#if defined(__linux__) && !defined(__ANDROID__)
    return secure_getenv(name); /* a privileged program must not write where its user says */
#else
    return getenv(name);
#endif
}

/* ---- layout --------------------------------------------------------------------------------------- */

#define SLICE ((size_t)64 << 10)
#define CHUNK ((size_t)4 << 20)
#define ALL_SLICES (~(uint64_t)1) /* the header has slice 0 to itself */

#define SMALL_MAX ((size_t)32 << 10)
#define RUN_MAX ((size_t)1 << 20)
#define CLASSES 40 /* steps of 16 bytes up to 128, then four to each doubling: at most a fifth is lost */
#define HEAPS 16

#define LIKELY(x) __builtin_expect(!!(x), 1)

struct block {
    struct block *next;
};

struct span {
    struct span *next, *prev; /* in its heap's list of spans with room */
    struct heap *heap;        /* NULL: a run */
    struct block *freed;
    char *fresh;         /* the first block that was never handed out; behind it no page is touched */
    uint32_t block_size; /* at most RUN_MAX */
    uint32_t used, capacity;
    uint8_t class, slices;
    bool zeroed; /* its slices came zeroed */
};

struct chunk {
    struct chunk *next, *prev; /* in the pool's list of chunks with a free slice */
    uint64_t free;             /* a bit per slice */
    uint64_t zeroed;           /* of the free slices, those that hold no memory and read as zero */
    uint8_t first[64];         /* where the span that a slice belongs to begins */
    struct span spans[64];     /* by first slice */
};

struct counts {
    uint64_t allocations, frees, bytes;
};

typedef _Atomic int lock_t;

struct heap {
    _Alignas(64) lock_t lock; /* heaps share no cache line */
    struct counts counts;
    struct span *spans[CLASSES];
};

static struct heap heaps[HEAPS];

static struct {
    lock_t lock; /* taken last, when a heap's is taken too */
    struct counts counts;
    struct chunk *chunks;
    size_t used;  /* slices in spans */
    size_t dirty; /* free slices that still hold memory */
} pool;

static _Atomic size_t mapped, mapped_peak;

static size_t round_up(size_t n, size_t power_of_two)
{
    return (n + power_of_two - 1) & ~(power_of_two - 1);
}

/* Every class divides into 64 KiB such that a multiple of a power of two gets a block size that is a
 * multiple of it as well: memalign need only round the size up. */
static unsigned class_of(size_t size)
{
    size_t n = size - (size != 0);
    if (n < 128)
        return (unsigned)(n >> 4);
    unsigned log2 = 31 - (unsigned)__builtin_clz((unsigned)n);
    return 8 + (log2 - 7) * 4 + ((n >> (log2 - 2)) & 3);
}

static size_t class_size(unsigned class)
{
    return class < 8 ? (class + 1) * 16 : (size_t)(5 + class % 4) << (class / 4 + 3);
}

static bool is_huge(const void *ptr)
{
    return ((uintptr_t)ptr & (CHUNK - 1)) == 0;
}

static struct span *span_of(const void *ptr)
{
    struct chunk *chunk = (struct chunk *)((uintptr_t)ptr & ~(uintptr_t)(CHUNK - 1));
    return &chunk->spans[chunk->first[((uintptr_t)ptr & (CHUNK - 1)) / SLICE]];
}

/* ---- locks ---------------------------------------------------------------------------------------- */

/* While a fork is prepared, every lock is FORKING, and the forking thread passes through all of them: the
 * handlers of others run then, and may allocate. Only who finds a lock taken pays for asking. */
enum { FREE, HELD, FORKING };

static _Atomic(const void *) forking_thread;

#if defined(__APPLE__) /* thread-locals are allocated there, by malloc */
static const void *this_thread(void)
{
    return pthread_self();
}
static struct heap *this_heap(void)
{
    return &heaps[((uintptr_t)pthread_self() >> 12) % HEAPS];
}
#else
static _Thread_local struct heap *my_heap __attribute__((tls_model("initial-exec")));

static const void *this_thread(void)
{
    return &my_heap;
}
static struct heap *this_heap(void)
{
    static atomic_uint turn;
    if (!my_heap)
        my_heap = &heaps[atomic_fetch_add_explicit(&turn, 1, memory_order_relaxed) % HEAPS];
    return my_heap;
}
#endif

static bool try_lock(lock_t *lock)
{
    int expected = FREE;
    return atomic_compare_exchange_strong_explicit(lock, &expected, HELD, memory_order_acquire, memory_order_relaxed);
}

static __attribute__((noinline, cold)) void wait_for(lock_t *lock)
{
    for (unsigned turn = 0;; turn++) {
        int state = atomic_load_explicit(lock, memory_order_relaxed);
        if (state == FORKING && atomic_load_explicit(&forking_thread, memory_order_relaxed) == this_thread())
            return;
        if (state == FREE && try_lock(lock))
            return;
        os_wait(turn < 1024 ? turn : 1024);
    }
}

static void lock(lock_t *lock)
{
    if (!LIKELY(try_lock(lock)))
        wait_for(lock);
}

static void unlock(lock_t *lock)
{
    if (LIKELY(atomic_load_explicit(lock, memory_order_relaxed) == HELD))
        atomic_store_explicit(lock, FREE, memory_order_release);
}

/* ---- which addresses are ours --------------------------------------------------------------------- */

/* For each 4 MiB of address space: how many bytes from its start are ours. In a chunk that is all of it; a
 * huge block counts down through the 4 MiB pieces it spans, so its first word is its size. */
#define ADDRESS_BITS (sizeof(void *) == 8 ? 48 : 32)
#define LEAF_BITS (sizeof(void *) == 8 ? 13 : 10)
#define LEAF_SIZE ((size_t)1 << LEAF_BITS)
#define LEAVES ((size_t)1 << (ADDRESS_BITS - 22 - LEAF_BITS))

typedef _Atomic size_t extent_t;
static _Atomic(extent_t *) leaves[LEAVES]; /* leaves are mapped when first needed, and stay */

static extent_t *extent_of(const void *ptr, bool create)
{
    size_t index = (uintptr_t)ptr / CHUNK;
    if (index / LEAF_SIZE >= LEAVES)
        return NULL;
    extent_t *leaf = atomic_load_explicit(&leaves[index / LEAF_SIZE], memory_order_acquire);
    if (!leaf && create) {
        extent_t *fresh = os_map(LEAF_SIZE * sizeof(extent_t), true);
        if (!fresh)
            return NULL;
        if (atomic_compare_exchange_strong(&leaves[index / LEAF_SIZE], &leaf, fresh))
            leaf = fresh;
        else
            os_unmap(fresh, LEAF_SIZE * sizeof(extent_t));
    }
    return leaf ? &leaf[index % LEAF_SIZE] : NULL;
}

static void disown(char *start, size_t size)
{
    for (size_t offset = 0; offset < size; offset += CHUNK) {
        extent_t *extent = extent_of(start + offset, false);
        if (extent)
            atomic_store_explicit(extent, 0, memory_order_relaxed);
    }
}

static bool own(char *start, size_t size)
{
    for (size_t offset = 0; offset < size; offset += CHUNK) {
        extent_t *extent = extent_of(start + offset, true);
        if (!extent) {
            disown(start, offset);
            return false;
        }
        atomic_store_explicit(extent, size - offset, memory_order_relaxed);
    }
    return true;
}

static size_t extent(const void *ptr)
{
    extent_t *extent = extent_of(ptr, false);
    return extent ? atomic_load_explicit(extent, memory_order_relaxed) : 0;
}

bool simple_heap_owns(const void *ptr)
{
    return ((uintptr_t)ptr & (CHUNK - 1)) < extent(ptr);
}

/* ---- aligned memory from the system --------------------------------------------------------------- */

static void count_mapped(size_t size)
{
    size_t now = atomic_fetch_add_explicit(&mapped, size, memory_order_relaxed) + size;
    size_t peak = atomic_load_explicit(&mapped_peak, memory_order_relaxed);
    while (now > peak && !atomic_compare_exchange_weak(&mapped_peak, &peak, now))
        ;
}

static char *reserve(size_t size, size_t alignment)
{
    char *whole = os_map(size + alignment, false);
    if (!whole)
        return NULL;
    char *start = (char *)round_up((uintptr_t)whole, alignment);
    if (start != whole)
        os_unmap(whole, (size_t)(start - whole));
    os_unmap(start + size, (size_t)(whole + alignment - start));
    return start;
}

static char *map(size_t size, size_t alignment)
{
    char *start = os_map(size, true);
    if (start && (uintptr_t)start % alignment != 0) { /* rare: mappings tend to grow next to each other */
        os_unmap(start, size);
        start = reserve(size, alignment);
        if (start && !os_make_usable(start, size)) {
            os_unmap(start, size);
            return NULL;
        }
    }
    if (start && !own(start, size)) {
        os_unmap(start, size);
        return NULL;
    }
    if (start)
        count_mapped(size);
    return start;
}

static void unmap(char *start, size_t size)
{
    disown(start, size); /* first: as soon as they are unmapped, another thread may be given these addresses */
    os_unmap(start, size);
    atomic_fetch_sub_explicit(&mapped, size, memory_order_relaxed);
}

/* ---- the pool of slices (its lock is held) -------------------------------------------------------- */

static void link_chunk(struct chunk *chunk)
{
    chunk->prev = NULL;
    chunk->next = pool.chunks;
    if (chunk->next)
        chunk->next->prev = chunk;
    pool.chunks = chunk;
}

static void unlink_chunk(struct chunk *chunk)
{
    *(chunk->prev ? &chunk->prev->next : &pool.chunks) = chunk->next;
    if (chunk->next)
        chunk->next->prev = chunk->prev;
}

static uint64_t bits_of(size_t first, size_t n)
{
    return (((uint64_t)1 << n) - 1) << first;
}

static size_t count_bits(uint64_t bits)
{
    size_t n = 0;
    for (; bits; bits &= bits - 1)
        n++;
    return n;
}

/* Returns all free memory to the system, and all empty chunks but `keep`. */
static void trim(size_t keep)
{
    for (struct chunk *chunk = pool.chunks, *next; chunk; chunk = next) {
        uint64_t dirty = chunk->free & ~chunk->zeroed;
        next = chunk->next;
        if (chunk->free == ALL_SLICES && keep == 0) {
            pool.dirty -= count_bits(dirty);
            unlink_chunk(chunk);
            unmap((char *)chunk, CHUNK);
            continue;
        }
        keep -= chunk->free == ALL_SLICES;
        while (dirty) {
            size_t first = (size_t)__builtin_ctzll(dirty), n = (size_t)__builtin_ctzll(~(dirty >> first));
            if (os_purge((char *)chunk + first * SLICE, n * SLICE)) {
                chunk->zeroed |= bits_of(first, n);
                pool.dirty -= n;
            }
            dirty &= ~bits_of(first, n);
        }
    }
}

static struct span *take_slices(size_t n)
{
    struct chunk *chunk;
    uint64_t starts = 0;
    for (chunk = pool.chunks; chunk; chunk = chunk->next) {
        starts = chunk->free;
        for (size_t i = 1; i < n; i++)
            starts &= chunk->free >> i;
        if (starts)
            break;
    }
    if (!chunk) {
        chunk = (struct chunk *)map(CHUNK, CHUNK);
        if (!chunk)
            return NULL;
        chunk->free = chunk->zeroed = starts = ALL_SLICES;
        link_chunk(chunk);
    }

    size_t first = (size_t)__builtin_ctzll(starts);
    uint64_t bits = bits_of(first, n);
    struct span *span = &chunk->spans[first];
    *span = (struct span){
        .fresh = (char *)chunk + first * SLICE,
        .slices = (uint8_t)n,
        .zeroed = (chunk->zeroed & bits) == bits,
    };
    memset(&chunk->first[first], (int)first, n);
    pool.used += n;
    pool.dirty -= count_bits(bits & ~chunk->zeroed);
    chunk->free &= ~bits;
    chunk->zeroed &= ~bits;
    if (!chunk->free)
        unlink_chunk(chunk);
    return span;
}

static void release_slices(struct span *span)
{
    struct chunk *chunk = (struct chunk *)((uintptr_t)span & ~(uintptr_t)(CHUNK - 1));
    if (!chunk->free)
        link_chunk(chunk);
    chunk->free |= bits_of((size_t)(span - chunk->spans), span->slices);
    pool.used -= span->slices;
    pool.dirty += span->slices;
    /* What is kept for the next who needs it grows with the program: neither thrash nor hoard. */
    if (pool.dirty > 32 + pool.used / 8)
        trim(1);
}

/* ---- the three kinds of blocks -------------------------------------------------------------------- */

static void count_taken(struct counts *counts, size_t size)
{
    counts->allocations++;
    counts->bytes += size;
}

static void link_span(struct heap *heap, struct span *span)
{
    span->prev = NULL;
    span->next = heap->spans[span->class];
    if (span->next)
        span->next->prev = span;
    heap->spans[span->class] = span;
}

static void unlink_span(struct heap *heap, struct span *span)
{
    *(span->prev ? &span->prev->next : &heap->spans[span->class]) = span->next;
    if (span->next)
        span->next->prev = span->prev;
}

static __attribute__((noinline)) struct span *new_span(struct heap *heap, unsigned class)
{
    size_t block_size = class_size(class), slices = block_size > SLICE / 8 ? 4 : 1;
    lock(&pool.lock);
    struct span *span = take_slices(slices);
    unlock(&pool.lock);
    if (!span)
        return NULL;
    span->heap = heap;
    span->class = (uint8_t)class;
    span->block_size = (uint32_t)block_size;
    span->capacity = (uint32_t)(slices * SLICE / block_size);
    link_span(heap, span);
    return span;
}

static void release_span(struct heap *heap, struct span *span)
{
    unlink_span(heap, span);
    lock(&pool.lock);
    release_slices(span);
    unlock(&pool.lock);
}

static void *take_small(size_t size)
{
    unsigned class = class_of(size);
    struct heap *heap = this_heap();
    void *ptr = NULL;
    lock(&heap->lock);
    struct span *span = heap->spans[class];
    if (LIKELY(span) || (span = new_span(heap, class))) {
        if (span->freed) {
            ptr = span->freed;
            span->freed = span->freed->next;
        } else {
            ptr = span->fresh;
            span->fresh += span->block_size;
        }
        if (++span->used == span->capacity)
            unlink_span(heap, span);
        count_taken(&heap->counts, size);
    }
    unlock(&heap->lock);
    return ptr;
}

static void free_small(struct span *span, struct block *block)
{
    struct heap *heap = span->heap;
    lock(&heap->lock);
    block->next = span->freed;
    span->freed = block;
    heap->counts.frees++;
    if (span->used-- == span->capacity)
        link_span(heap, span);
    else if (span->used == 0 && (span->next || span->prev)) /* the last one with room stays, for the next block */
        release_span(heap, span);
    unlock(&heap->lock);
}

static void *take_run(size_t size)
{
    void *ptr = NULL;
    size_t slices = (size + SLICE - 1) / SLICE;
    lock(&pool.lock);
    struct span *span = take_slices(slices);
    if (span) {
        span->block_size = (uint32_t)(slices * SLICE);
        ptr = span->fresh;
        count_taken(&pool.counts, size);
    }
    unlock(&pool.lock);
    return ptr;
}

static void free_run(struct span *span)
{
    lock(&pool.lock);
    release_slices(span);
    pool.counts.frees++;
    unlock(&pool.lock);
}

static void *take_huge(size_t size, size_t alignment)
{
    void *ptr = map(round_up(size + (size == 0), SLICE), alignment > CHUNK ? alignment : CHUNK);
    if (ptr) {
        lock(&pool.lock);
        count_taken(&pool.counts, size);
        unlock(&pool.lock);
    }
    return ptr;
}

static void free_huge(void *ptr)
{
    unmap(ptr, extent(ptr));
    lock(&pool.lock);
    pool.counts.frees++;
    unlock(&pool.lock);
}

/* Without a copy, or not at all. */
static void *resize_huge(char *ptr, size_t new_size)
{
    size_t old = extent(ptr), size = round_up(new_size, SLICE), last = round_up(size, CHUNK);
    if (size <= old) {
        own(ptr, size);
        if (last < old)
            disown(ptr + last, old - last);
        if (size < old)
            os_unmap(ptr + size, old - size);
        atomic_fetch_sub_explicit(&mapped, old - size, memory_order_relaxed);
        return ptr;
    }
    if (!OS_REMAPS)
        return NULL;
    if (os_remap(ptr, old, ptr, size)) {
        if (!own(ptr, size)) {
            own(ptr, old);
            os_unmap(ptr + old, size - old);
            return NULL;
        }
        count_mapped(size - old);
        return ptr;
    }
    char *to = reserve(size, CHUNK);
    if (to && !own(to, size)) {
        os_unmap(to, size);
        return NULL;
    }
    if (!to)
        return NULL;
    disown(ptr, old);
    if (!os_remap(ptr, old, to, size)) { /* `to` may be unmapped by now, and another's: it must be let go */
        disown(to, size);
        own(ptr, old);
        return NULL;
    }
    count_mapped(size - old);
    lock(&pool.lock);
    count_taken(&pool.counts, new_size);
    pool.counts.frees++;
    unlock(&pool.lock);
    return to;
}

/* Before memory is refused: whatever the heaps keep for later. No lock may be held. */
static void scavenge(void)
{
    for (struct heap *heap = heaps; heap < heaps + HEAPS; heap++) {
        lock(&heap->lock);
        for (unsigned class = 0; class < CLASSES; class++)
            for (struct span *span = heap->spans[class], *next; span; span = next) {
                next = span->next;
                if (span->used == 0)
                    release_span(heap, span);
            }
        unlock(&heap->lock);
    }
    lock(&pool.lock);
    trim(0);
    unlock(&pool.lock);
}

static void *take(size_t size, size_t alignment)
{
    if (alignment > SLICE || size > RUN_MAX)
        return take_huge(size, alignment);
    return size <= SMALL_MAX ? take_small(size) : take_run(size);
}

static __attribute__((noinline)) void *take_or_fail(size_t size, size_t alignment)
{
    void *ptr = NULL;
    if (alignment <= PTRDIFF_MAX && size <= PTRDIFF_MAX - alignment) {
        ptr = take(size, alignment);
        if (!ptr) {
            scavenge();
            ptr = take(size, alignment);
        }
    }
    if (!ptr)
        errno = ENOMEM;
    return ptr;
}

/* ---- the interface -------------------------------------------------------------------------------- */

static inline void *allocate(size_t size)
{
    void *ptr = LIKELY(size <= SMALL_MAX) ? take_small(size) : NULL;
    return LIKELY(ptr) ? ptr : take_or_fail(size, 1);
}

void *simple_heap_malloc(size_t size)
{
    return allocate(size);
}

void simple_heap_free(void *ptr)
{
    if (!ptr)
        return;
    if (is_huge(ptr)) {
        free_huge(ptr);
        return;
    }
    struct span *span = span_of(ptr);
    if (LIKELY(span->heap))
        free_small(span, ptr);
    else
        free_run(span);
}

void *simple_heap_calloc(size_t nmemb, size_t size)
{
    size_t total = nmemb * size;
    if ((nmemb | size) >> (sizeof(size_t) * 4) && nmemb && total / nmemb != size) {
        errno = ENOMEM;
        return NULL;
    }
    void *ptr = allocate(total);
    if (ptr && !is_huge(ptr)) {
        struct span *span = span_of(ptr);
        if (span->heap || !span->zeroed)
            memset(ptr, 0, total);
    }
    return ptr;
}

void *simple_heap_realloc(void *ptr, size_t size)
{
    if (!ptr)
        return allocate(size);
    if (size == 0) {
        simple_heap_free(ptr);
        return NULL;
    }
    if (is_huge(ptr) && size > RUN_MAX && size <= PTRDIFF_MAX) {
        void *resized = resize_huge(ptr, size);
        if (resized)
            return resized;
    }
    size_t usable = simple_heap_malloc_usable_size(ptr);
    if (size <= usable && (size >= usable / 2 || usable <= 128))
        return ptr;
    void *moved = allocate(size);
    if (!moved)
        return NULL;
    memcpy(moved, ptr, size < usable ? size : usable);
    simple_heap_free(ptr);
    return moved;
}

void *simple_heap_memalign(size_t alignment, size_t size)
{
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        errno = EINVAL;
        return NULL;
    }
    if (alignment <= SLICE && size <= PTRDIFF_MAX)
        size = round_up(size + (size == 0), alignment);
    return take_or_fail(size, alignment);
}

size_t simple_heap_malloc_usable_size(void *ptr)
{
    return is_huge(ptr) ? extent(ptr) : span_of(ptr)->block_size; /* NULL: 0, as nothing there is ours */
}

/* ---- fork ----------------------------------------------------------------------------------------- */

/* For pthread_atfork: lock, unlock in the parent, reinit in the child. */

void simple_heap_malloc_lock(void)
{
    for (size_t i = 0; i < HEAPS; i++) {
        lock(&heaps[i].lock);
        atomic_store_explicit(&heaps[i].lock, FORKING, memory_order_relaxed);
    }
    lock(&pool.lock);
    atomic_store_explicit(&pool.lock, FORKING, memory_order_relaxed);
    atomic_store_explicit(&forking_thread, this_thread(), memory_order_relaxed);
}

void simple_heap_malloc_unlock(void)
{
    atomic_store_explicit(&forking_thread, NULL, memory_order_relaxed);
    atomic_store_explicit(&pool.lock, FREE, memory_order_release);
    for (size_t i = 0; i < HEAPS; i++)
        atomic_store_explicit(&heaps[i].lock, FREE, memory_order_release);
}

void simple_heap_malloc_reinit(void)
{
    simple_heap_malloc_unlock(); /* nobody else is here, and nobody held a lock when the fork was made */
}

/* ---- statistics ----------------------------------------------------------------------------------- */

/* SIMPLE_HEAP_STATS=1: one line on stderr when the process exits. Any other value: a line for each number
 * in the file VALUE.PID. */

struct text {
    size_t length;
    char chars[4096];
};

static void add(struct text *text, const char *s)
{
    while (*s && text->length < sizeof text->chars - 1)
        text->chars[text->length++] = *s++;
    text->chars[text->length] = 0;
}

static void add_number(struct text *text, uint64_t n)
{
    char digits[21], *p = digits + sizeof digits;
    *--p = 0;
    do
        *--p = (char)('0' + n % 10);
    while (n /= 10);
    add(text, p);
}

static __attribute__((destructor)) void write_statistics(void)
{
    const char *value = os_getenv("SIMPLE_HEAP_STATS");
    if (!value || !*value)
        return;
    bool human = strcmp(value, "1") == 0;

    struct counts sum = {0, 0, 0};
    for (size_t i = 0; i <= HEAPS; i++) {
        struct counts *counts = i < HEAPS ? &heaps[i].counts : &pool.counts;
        lock_t *counts_lock = i < HEAPS ? &heaps[i].lock : &pool.lock;
        lock(counts_lock);
        sum.allocations += counts->allocations;
        sum.frees += counts->frees;
        sum.bytes += counts->bytes;
        unlock(counts_lock);
    }
    struct text report = {0};
    add(&report, human ? "simple_heap: allocations " : "allocations ");
    add_number(&report, sum.allocations);
    add(&report, human ? ", frees " : "\nfrees ");
    add_number(&report, sum.frees);
    add(&report, human ? ", bytes " : "\nbytes ");
    add_number(&report, sum.bytes);
    add(&report, human ? ", peak " : "\npeak ");
    add_number(&report, atomic_load(&mapped_peak));
    add(&report, "\n");

    int fd = STDERR_FILENO;
    if (!human) {
        struct text path = {0};
        add(&path, value);
        add(&path, ".");
        add_number(&path, (uint64_t)getpid());
        fd = open(path.chars, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0)
            return;
    }
    for (size_t done = 0; done < report.length;) {
        ssize_t n = write(fd, report.chars + done, report.length - done);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    if (!human)
        close(fd);
}
