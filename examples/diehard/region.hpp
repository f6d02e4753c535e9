// A region: slots of one size with a bit each. And the map that tells which region an address is in.
#ifndef DIEHARD_REGION_HPP
#define DIEHARD_REGION_HPP

#include "pages.hpp"

namespace diehard {

struct Region {
    char *start;
    std::size_t slot;  // bytes of each
    std::size_t slots; // 1: a large object, which has the region to itself
    char *mapping;     // of a large object, with the guards around it
    std::size_t mapped;
    std::uint64_t *bits; // which slots are taken
    Region *next;        // among large objects' records that are free

    bool is_large() const
    {
        return slots == 1;
    }

    // Whether it is the address of a slot, and not of something inside one or behind the last.
    bool begins_slot(const void *ptr) const
    {
        const std::size_t offset = static_cast<std::size_t>(static_cast<const char *>(ptr) - start);
        return offset % slot == 0 && offset / slot < slots;
    }

    std::size_t index(const void *ptr) const
    {
        return static_cast<std::size_t>(static_cast<const char *>(ptr) - start) / slot;
    }

    bool is_taken(std::size_t index) const
    {
        return (bits[index / 64] >> index % 64 & 1) != 0;
    }

    void flip(std::size_t index)
    {
        bits[index / 64] ^= std::uint64_t{1} << index % 64;
    }
};

// Region by address, in two steps. Written under the heap's lock for records, read without any: an
// entry for a block in use does not change.
class RegionMap {
public:
    Region *find(const void *ptr) const
    {
        const std::uintptr_t chunk = reinterpret_cast<std::uintptr_t>(ptr) / chunk_size;
        if (chunk >> leaf_bits >= tops)
            return nullptr;
        const Leaf *leaf = leaves_[chunk >> leaf_bits].load(std::memory_order_acquire);
        return leaf == nullptr ? nullptr : leaf->regions[chunk & leaf_mask].load(std::memory_order_acquire);
    }

    // Makes the leaves for addresses; false with ENOMEM if there is no memory for them.
    bool prepare(const char *start, std::size_t size)
    {
        const std::uintptr_t first = reinterpret_cast<std::uintptr_t>(start) / chunk_size >> leaf_bits;
        const std::uintptr_t last = (reinterpret_cast<std::uintptr_t>(start) + size - 1) / chunk_size >> leaf_bits;
        for (std::uintptr_t top = first; top <= last; top++) {
            if (top >= tops)
                return no_room();
            if (leaves_[top].load(std::memory_order_relaxed) != nullptr)
                continue;
            Leaf *leaf = reinterpret_cast<Leaf *>(map(sizeof(Leaf)));
            if (leaf == nullptr)
                return false;
            leaves_[top].store(leaf, std::memory_order_release);
        }
        return true;
    }

    // The region of all addresses in a prepared range; null: of none.
    void set(const char *start, std::size_t size, Region *region)
    {
        const std::uintptr_t first = reinterpret_cast<std::uintptr_t>(start) / chunk_size;
        const std::uintptr_t last = (reinterpret_cast<std::uintptr_t>(start) + size - 1) / chunk_size;
        for (std::uintptr_t chunk = first; chunk <= last; chunk++) {
            Leaf *leaf = leaves_[chunk >> leaf_bits].load(std::memory_order_relaxed);
            leaf->regions[chunk & leaf_mask].store(region, std::memory_order_release);
        }
    }

private:
    static bool no_room()
    {
        set_error(ENOMEM);
        return false;
    }

    static constexpr unsigned address_bits = sizeof(void *) == 8 ? 48 : 32;
    static constexpr unsigned leaf_bits = sizeof(void *) == 8 ? 16 : 8;
    static constexpr std::uintptr_t leaf_mask = (std::uintptr_t{1} << leaf_bits) - 1;
    static constexpr std::size_t tops = (std::size_t{1} << (address_bits - leaf_bits)) / chunk_size;

    struct Leaf {
        std::atomic<Region *> regions[leaf_mask + 1];
    };

    std::atomic<Leaf *> leaves_[tops]{};
};

} // namespace diehard

#endif
