// A heap of blocks whose sizes are powers of two, each size with a free list of its own.
#ifndef BLOCK_HEAP_H
#define BLOCK_HEAP_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void *block_heap_malloc(size_t size);
void block_heap_free(void *ptr);
void *block_heap_realloc(void *ptr, size_t size);
void *block_heap_memalign(size_t alignment, size_t size); // the alignment is a power of two
size_t block_heap_malloc_usable_size(void *ptr);

// For pthread_atfork: whoever locks may still allocate and free, all others wait.
void block_heap_malloc_lock(void);
void block_heap_malloc_unlock(void);
void block_heap_malloc_reinit(void); // in the child, which has one thread

#ifdef __cplusplus
}
#endif

#endif
