// A heap for the control shims: one region, pages of 64 KiB for blocks of one power of two or for a part of
// one large block, a bit where a live block begins. One lock, which fork locks.
#pragma once
#include "../client/darwin.h"

enum { PAGE = 1 << 16, PAGES = 2048, LEAST = 16, CLASSES = 12, LARGE = CLASSES + 1, LARGE_REST, SLACK = 64 };

static struct heap {
    os_unfair_lock lock;
    char *base;
    struct statistics statistics;
    void *unused[CLASSES];
    uint8_t kind[PAGES], live[PAGES][PAGE / LEAST / 8];
    uint32_t length[PAGES];
} heap;

#ifndef LOCKED_PATH
#define LOCKED_PATH
#endif

static void lock(void) {
    os_unfair_lock_lock(&heap.lock);
}

static void unlock(void) {
    os_unfair_lock_unlock(&heap.lock);
}

// Read without the lock by whoever asks whether a block is ours.
static char *base(void) {
    return __atomic_load_n(&heap.base, __ATOMIC_ACQUIRE);
}

// In this heap, or in a copy of another process's.
static size_t size_in(const struct heap *of, const char *from, const void *block) {
    size_t at = (size_t)((const char *)block - from), page = at / PAGE, bit = at % PAGE / LEAST;
    if (!from || page >= PAGES || at % LEAST || !(of->live[page][bit / 8] >> bit % 8 & 1)) return 0;
    return of->kind[page] == LARGE ? (size_t)of->length[page] * PAGE : (size_t)LEAST << (of->kind[page] - 1);
}

static size_t block_size(const void *block) {
    return size_in(&heap, base(), block);
}

static void mark(const void *block, bool live) {
    size_t at = (size_t)((const char *)block - heap.base), bit = at % PAGE / LEAST;
    uint8_t *byte = &heap.live[at / PAGE][bit / 8];
    *byte = (uint8_t)(live ? *byte | 1 << bit % 8 : *byte & ~(1 << bit % 8));
}

static char *take_pages(size_t count, size_t alignment) {
    size_t step = alignment > PAGE ? alignment / PAGE : 1;
    if (!heap.base) {
        char *room = mmap(NULL, (size_t)(PAGES + SLACK) * PAGE, READ_WRITE, MAP_PRIVATE_ANON, -1, 0);
        if (room == (void *)-1) return NULL;
        uintptr_t mask = (uintptr_t)SLACK * PAGE - 1;
        __atomic_store_n(&heap.base, (char *)(((uintptr_t)room + mask) & ~mask), __ATOMIC_RELEASE);
    }
    for (size_t from = 0; from + count <= PAGES; from += step) {
        size_t length = 0;
        while (length < count && heap.kind[from + length] == 0) length++;
        if (length < count) continue;
        memset(heap.kind + from, LARGE_REST, count);
        heap.length[from] = (uint32_t)count;
        heap.kind[from] = LARGE;
        return heap.base + from * PAGE;
    }
    return NULL;
}

static void *take(size_t size) {
    unsigned class = 0;
    while (((size_t)LEAST << class) < size) class++;
    if (!heap.unused[class]) {
        char *page = take_pages(1, PAGE);
        if (!page) return NULL;
        heap.kind[(size_t)(page - heap.base) / PAGE] = (uint8_t)(class + 1);
        for (size_t at = PAGE; at > 0; at -= (size_t)LEAST << class) {
            void **block = (void **)(page + at - ((size_t)LEAST << class));
            *block = heap.unused[class];
            heap.unused[class] = block;
        }
    }
    void **block = heap.unused[class];
    heap.unused[class] = *block;
    return block;
}

static void *heap_memalign(size_t alignment, size_t size) {
    LOCKED_PATH
    if (size < alignment) size = alignment;
    if (size > (size_t)PAGES * PAGE) return NULL;
    lock();
    void *block =
        size > (size_t)LEAST << (CLASSES - 1) ? take_pages((size + PAGE - 1) / PAGE, alignment) : take(size);
    if (block) {
        mark(block, true);
        heap.statistics.blocks++;
        heap.statistics.in_use += block_size(block);
    }
    unlock();
    return block;
}

static void heap_free(void *block) {
    lock();
    size_t size = block_size(block), page = (size_t)((char *)block - heap.base) / PAGE;
    mark(block, false);
    heap.statistics.blocks--;
    heap.statistics.in_use -= size;
    if (heap.kind[page] == LARGE) {
        memset(heap.kind + page, 0, heap.length[page]);
    } else {
        *(void **)block = heap.unused[heap.kind[page] - 1];
        heap.unused[heap.kind[page] - 1] = block;
    }
    unlock();
}

static size_t heap_good_size(size_t size) {
    size_t good = LEAST;
    while (good < size && good < (size_t)LEAST << (CLASSES - 1)) good *= 2;
    return good >= size ? good : (size + PAGE - 1) & ~(size_t)(PAGE - 1);
}
