// The functions of the Heap-Layers convention, by which alloc8-gen's built-in description `xx` knows every
// allocator that is written so.
#include "hoard.hpp"

static Hoard heap;

extern "C" {

volatile int xxthread_created_flag = 0;

void *xxmalloc(std::size_t size)
{
    return heap.malloc(size);
}

void xxfree(void *ptr)
{
    heap.free(ptr);
}

void *xxcalloc(std::size_t nmemb, std::size_t size)
{
    return heap.calloc(nmemb, size);
}

void *xxrealloc(void *ptr, std::size_t size)
{
    return heap.realloc(ptr, size);
}

void *xxmemalign(std::size_t alignment, std::size_t size)
{
    return heap.memalign(alignment, size);
}

std::size_t xxmalloc_usable_size(void *ptr)
{
    return heap.getSize(ptr);
}

bool xxowns(const void *ptr)
{
    return heap.owns(ptr);
}

void xxmalloc_lock()
{
    heap.lock();
}

void xxmalloc_unlock()
{
    heap.unlock();
}

void xxthread_init()
{
    heap.threadInit();
}

void xxthread_cleanup()
{
    heap.threadCleanup();
}

} // extern "C"
