// All blocks of one size. There are at least twice as many slots as blocks, and each block goes into a
// free slot that chance picks: whatever lies behind a block is as likely as not nobody's.
#ifndef DIEHARD_SIZE_CLASS_HPP
#define DIEHARD_SIZE_CLASS_HPP

#include "random.hpp"
#include "region.hpp"

namespace diehard {

// What a class shares with the others.
struct Shared {
    Lock lock;
    Records records;
    RegionMap map;
};

class SizeClass {
public:
    // M of the paper: how many slots there are for each block at least.
    static constexpr std::size_t expansion = 2;

    void *take(std::size_t slot, Shared &shared)
    {
        Holding holding(lock);
        if ((used_ + 1) * expansion > slots_ && !grow(slot, shared))
            return nullptr;
        // Half of the slots are free at least: two tries on average, thirty once in 10^9 blocks.
        for (;;) {
            const std::size_t which = random.below(slots_);
            Region &region = *regions_[number(which)];
            const std::size_t index = which - first_of(number(which));
            if (region.is_taken(index))
                continue;
            region.flip(index);
            used_++;
            return region.start + index * slot;
        }
    }

    // Takes back what was handed out, once. Everything else is a mistake of the program and is ignored.
    void give(Region &region, void *ptr)
    {
        Holding holding(lock);
        const std::size_t index = region.index(ptr);
        if (!region.is_taken(index))
            return;
        region.flip(index);
        used_--;
    }

    bool is_taken(const Region &region, const void *ptr)
    {
        Holding holding(lock);
        return region.is_taken(region.index(ptr));
    }

    std::size_t slots() const
    {
        return slots_;
    }

    Lock lock;
    Random random;

private:
    static constexpr std::size_t most_regions = 40;

    // Regions double the class: the first two have as many slots as the smallest, each later one as
    // many as all before it. So a slot's number tells its region.
    std::size_t number(std::size_t which) const
    {
        const std::size_t times = which / least_;
        return times == 0 ? 0 : 64 - static_cast<std::size_t>(__builtin_clzll(times));
    }

    std::size_t first_of(std::size_t number) const
    {
        return number == 0 ? 0 : least_ << (number - 1);
    }

    bool grow(std::size_t slot, Shared &shared)
    {
        if (!random.is_seeded())
            random.seed_from_system();
        if (least_ == 0)
            least_ = slot * 64 < chunk_size ? chunk_size / slot : 64;
        const std::size_t more = slots_ == 0 ? least_ : slots_;
        std::size_t size;
        if (count_ == most_regions || __builtin_mul_overflow(more, slot, &size)) {
            set_error(ENOMEM);
            return false;
        }
        char *start = map_aligned(size, chunk_size);
        if (start == nullptr)
            return false;
        Region *region = record(start, slot, more, shared);
        if (region == nullptr) {
            unmap(start, size);
            return false;
        }
        regions_[count_++] = region;
        slots_ += more;
        return true;
    }

    static Region *record(char *start, std::size_t slot, std::size_t slots, Shared &shared)
    {
        Holding holding(shared.lock);
        const std::size_t words = (slots + 63) / 64;
        void *memory = shared.records.take(sizeof(Region) + words * sizeof(std::uint64_t));
        if (memory == nullptr || !shared.map.prepare(start, slot * slots))
            return nullptr;
        Region *region = static_cast<Region *>(memory);
        region->start = start;
        region->slot = slot;
        region->slots = slots;
        region->bits = reinterpret_cast<std::uint64_t *>(region + 1);
        shared.map.set(start, slot * slots, region);
        return region;
    }

    Region *regions_[most_regions]{};
    std::size_t count_{0};
    std::size_t least_{0}; // slots of the first region
    std::size_t slots_{0};
    std::size_t used_{0};
};

} // namespace diehard

#endif
