// simple_heap with counters, as a class: a call is seen here, or it went to another heap.
#include <windows.h>

#include <atomic>
#include <process.h>
#include <string>

#include "redirect.hpp"

extern "C" {
#include "counted_heap.h"

void *simple_heap_malloc(std::size_t size);
void simple_heap_free(void *ptr);
void *simple_heap_memalign(std::size_t alignment, std::size_t size);
std::size_t simple_heap_malloc_usable_size(void *ptr);
bool simple_heap_owns(const void *ptr);

__declspec(dllexport) counters counted_heap_counters;
__declspec(dllexport) bool counted_heap_has(const void *ptr) { return simple_heap_owns(ptr); }
}

// Resizing and zeroing are left to the templates.
class CountedHeap {
public:
    void *malloc(std::size_t size)
    {
        count(counted_heap_counters.allocated);
        return simple_heap_malloc(size);
    }

    void free(void *ptr)
    {
        count(counted_heap_counters.freed);
        simple_heap_free(ptr);
    }

    void *memalign(std::size_t alignment, std::size_t size)
    {
        count(counted_heap_counters.allocated);
        return simple_heap_memalign(alignment, size);
    }

    std::size_t getSize(void *ptr) { return simple_heap_malloc_usable_size(ptr); }

    bool owns(const void *ptr)
    {
        const bool ours = simple_heap_owns(ptr);
        if (ptr != nullptr && !ours)
            count(counted_heap_counters.foreign);
        return ours;
    }

private:
    static void count(long &counter) { InterlockedIncrement(&counter); }
};

ALLOC8_REDIRECT(CountedHeap);
