// Objects larger than the largest class: a mapping each, with pages around it that nobody may touch, so
// that an overflow ends the program at once instead of reaching anything.
#ifndef DIEHARD_LARGE_OBJECTS_HPP
#define DIEHARD_LARGE_OBJECTS_HPP

#include "region.hpp"
#include "size_class.hpp"

namespace diehard {

class LargeObjects {
public:
    void *take(std::size_t alignment, std::size_t size, Shared &shared)
    {
        if (alignment < chunk_size)
            alignment = chunk_size; // so that no two are in one chunk
        const std::size_t page = page_size();
        const std::size_t body = size == 0 ? page : round_up(size, page);
        std::size_t mapped;
        if (body < size || __builtin_add_overflow(body, alignment + page, &mapped)) {
            errno = ENOMEM;
            return nullptr;
        }
        // One alignment before the object is more than a page: the guard.
        char *mapping = map_aligned(mapped, alignment, PROT_NONE);
        if (mapping == nullptr)
            return nullptr;
        char *start = mapping + alignment;
        unmap(mapping, alignment - page);
        mapping += alignment - page;
        mapped -= alignment - page;
        if (mprotect(start, body, PROT_READ | PROT_WRITE) != 0 || !enter(start, body, mapping, mapped, shared)) {
            unmap(mapping, mapped);
            errno = ENOMEM;
            return nullptr;
        }
        return start;
    }

    // Unmaps an object; what is none, or is none any more, is left alone.
    void give(void *ptr, Shared &shared)
    {
        char *mapping;
        std::size_t mapped;
        {
            Holding holding(shared.lock);
            Region *region = shared.map.find(ptr);
            if (region == nullptr || !region->is_large() || region->start != ptr)
                return;
            mapping = region->mapping;
            mapped = region->mapped;
            shared.map.set(region->start, 1, nullptr);
            region->next = free_;
            free_ = region;
        }
        unmap(mapping, mapped);
    }

private:
    bool enter(char *start, std::size_t body, char *mapping, std::size_t mapped, Shared &shared)
    {
        Holding holding(shared.lock);
        Region *region = free_;
        if (region == nullptr)
            region = static_cast<Region *>(shared.records.take(sizeof(Region)));
        else
            free_ = region->next;
        if (region == nullptr)
            return false;
        *region = {start, body, 1, mapping, mapped, nullptr, nullptr};
        if (!shared.map.prepare(start, 1)) {
            region->next = free_;
            free_ = region;
            return false;
        }
        shared.map.set(start, 1, region);
        return true;
    }

    Region *free_{nullptr}; // records for others to come
};

} // namespace diehard

#endif
