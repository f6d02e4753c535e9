// examples/diehard with counters: a call is seen here, or it went to another heap.
#include "../../examples/diehard/diehard.hpp"

#include "redirect.hpp"

extern "C" {
#include "counted_heap.h"

__declspec(dllexport) counters counted_heap_counters;
}

class CountedDieHard : private DieHard {
public:
    void *malloc(std::size_t size)
    {
        count(counted_heap_counters.allocated);
        return DieHard::malloc(size);
    }

    void free(void *ptr)
    {
        count(counted_heap_counters.freed);
        DieHard::free(ptr);
    }

    void *calloc(std::size_t nmemb, std::size_t size)
    {
        count(counted_heap_counters.allocated);
        return DieHard::calloc(nmemb, size);
    }

    void *realloc(void *ptr, std::size_t size)
    {
        count(counted_heap_counters.resized);
        return DieHard::realloc(ptr, size);
    }

    void *memalign(std::size_t alignment, std::size_t size)
    {
        count(counted_heap_counters.allocated);
        return DieHard::memalign(alignment, size);
    }

    using DieHard::getSize;

    bool owns(const void *ptr)
    {
        const bool ours = has(ptr);
        if (ptr != nullptr && !ours)
            count(counted_heap_counters.foreign);
        return ours;
    }

    bool has(const void *ptr) const
    {
        return DieHard::owns(ptr);
    }

private:
    static void count(long &counter)
    {
        InterlockedIncrement(&counter);
    }
};

static CountedDieHard heap;

static CountedDieHard &the_heap()
{
    return heap;
}

extern "C" __declspec(dllexport) bool counted_heap_has(const void *ptr)
{
    return heap.has(ptr);
}

ALLOC8_REDIRECT_BY(the_heap);
