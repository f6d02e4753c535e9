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
        const std::size_t body = round_up(size == 0 ? 1 : size, page_size());
        Guarded object;
        // No object is larger than a difference of pointers can say.
        if (size > PTRDIFF_MAX || body < size) {
            set_error(ENOMEM);
            return nullptr;
        }
        if (!map_guarded(object, body, alignment))
            return nullptr;
        if (!enter(object, body, shared)) {
            unmap(object.mapping, object.mapped);
            set_error(ENOMEM);
            return nullptr;
        }
        return object.start;
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
    bool enter(const Guarded &object, std::size_t body, Shared &shared)
    {
        Holding holding(shared.lock);
        Region *region = free_;
        if (region == nullptr)
            region = static_cast<Region *>(shared.records.take(sizeof(Region)));
        else
            free_ = region->next;
        if (region == nullptr)
            return false;
        *region = {object.start, body, 1, object.mapping, object.mapped, nullptr, nullptr};
        if (!shared.map.prepare(object.start, 1)) {
            region->next = free_;
            free_ = region;
            return false;
        }
        shared.map.set(object.start, 1, region);
        return true;
    }

    Region *free_{nullptr}; // records for others to come
};

} // namespace diehard

#endif
