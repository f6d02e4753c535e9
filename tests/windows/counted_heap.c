/* simple_heap with counters that programs read: a call is seen here, or it went to another heap. */
#include <stdbool.h>
#include <stddef.h>

#include "counted_heap.h"

void *simple_heap_malloc(size_t size);
void simple_heap_free(void *ptr);
void *simple_heap_calloc(size_t nmemb, size_t size);
void *simple_heap_realloc(void *ptr, size_t size);
void *simple_heap_memalign(size_t alignment, size_t size);
size_t simple_heap_malloc_usable_size(void *ptr);
bool simple_heap_owns(const void *ptr);

__declspec(dllexport) struct counters counted_heap_counters;

__declspec(dllexport) bool counted_heap_has(const void *ptr)
{
    return simple_heap_owns(ptr);
}

static void count(long *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

void *counted_heap_malloc(size_t size)
{
    count(&counted_heap_counters.allocated);
    return simple_heap_malloc(size);
}

void counted_heap_free(void *ptr)
{
    count(&counted_heap_counters.freed);
    simple_heap_free(ptr);
}

void *counted_heap_calloc(size_t nmemb, size_t size)
{
    count(&counted_heap_counters.allocated);
    return simple_heap_calloc(nmemb, size);
}

void *counted_heap_realloc(void *ptr, size_t size)
{
    count(&counted_heap_counters.resized);
    return simple_heap_realloc(ptr, size);
}

void *counted_heap_memalign(size_t alignment, size_t size)
{
    count(&counted_heap_counters.allocated);
    return simple_heap_memalign(alignment, size);
}

size_t counted_heap_malloc_usable_size(void *ptr)
{
    return simple_heap_malloc_usable_size(ptr);
}

/* Asked for every block that comes back: one that is not ours came from another heap. */
bool counted_heap_owns(const void *ptr)
{
    bool ours = simple_heap_owns(ptr);
    if (ptr && !ours)
        count(&counted_heap_counters.foreign);
    return ours;
}
