// A heap that promises nothing, and whose usable size is 0 for what is no block: it does not say so.
#include "heap.h"

void *tolerant_malloc(size_t size) {
    return heap_memalign(LEAST, size);
}

void tolerant_free(void *block) {
    heap_free(block);
}

void *tolerant_memalign(size_t alignment, size_t size) {
    return heap_memalign(alignment, size);
}

size_t tolerant_malloc_usable_size(void *block) {
    return block_size(block);
}

size_t tolerant_malloc_good_size(size_t size) {
    return heap_good_size(size);
}

void tolerant_malloc_lock(void) {
    lock();
}

void tolerant_malloc_unlock(void) {
    unlock();
}

void tolerant_malloc_reinit(void) {
    heap.lock = 0;
}
