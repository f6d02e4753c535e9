// A heap in the manner of DieHard (Berger and Zorn, "DieHard: Probabilistic Memory Safety for Unsafe
// Languages", PLDI 2006): blocks at random in regions that are twice as large as they need be, nothing
// about them beside them, and frees of what is no block, or no block any more, ignored.
#ifndef DIEHARD_HPP
#define DIEHARD_HPP

#include <cstring>

#include "large_objects.hpp"
#include "size_class.hpp"

class DieHard {
public:
    void *malloc(std::size_t size)
    {
        return size <= largest ? take(class_of(size)) : large_.take(1, size, shared_);
    }

    void free(void *ptr)
    {
        diehard::Region *region = find(ptr);
        if (region == nullptr)
            return;
        if (region->is_large())
            large_.give(ptr, shared_);
        else
            classes_[class_of(region->slot)].give(*region, ptr);
    }

    void *calloc(std::size_t nmemb, std::size_t size)
    {
        std::size_t total;
        if (__builtin_mul_overflow(nmemb, size, &total)) {
            diehard::set_error(ENOMEM);
            return nullptr;
        }
        void *ptr = malloc(total);
        if (ptr == nullptr || total > largest) // mappings are zero
            return ptr;
        __asm__ volatile("" : "+r"(ptr)); // malloc and memset are not to become a call of calloc
        return std::memset(ptr, 0, total);
    }

    void *realloc(void *ptr, std::size_t size)
    {
        if (ptr == nullptr)
            return malloc(size);
        if (size == 0) {
            free(ptr);
            return nullptr;
        }
        const std::size_t usable = getSize(ptr);
        if (size <= usable && size > usable / 2)
            return ptr;
        if (usable == 0) { // not a block: there is nothing to copy, and nothing is freed
            diehard::set_error(EINVAL);
            return nullptr;
        }
        void *moved = malloc(size);
        if (moved == nullptr)
            return nullptr;
        std::memcpy(moved, ptr, usable < size ? usable : size);
        free(ptr);
        return moved;
    }

    // Slots are powers of two, at multiples of their size.
    void *memalign(std::size_t alignment, std::size_t size)
    {
        if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
            diehard::set_error(EINVAL);
            return nullptr;
        }
        const std::size_t both = size < alignment ? alignment : size;
        return both <= largest ? take(class_of(both)) : large_.take(alignment, size, shared_);
    }

    // 0 for what is no block.
    std::size_t getSize(void *ptr)
    {
        const diehard::Region *region = find(ptr);
        return region == nullptr ? 0 : region->slot;
    }

    // Whose an address is. Blocks that are none any more are still the heap's, and so is what lies inside of blocks, but
    // beyond the first chunk of a large one.
    bool owns(const void *ptr) const
    {
        return shared_.map.find(ptr) != nullptr;
    }

    // For tests: whether it is the address of a block that was not freed.
    bool is_block(const void *ptr)
    {
        const diehard::Region *region = find(ptr);
        if (region == nullptr || region->is_large())
            return region != nullptr;
        return classes_[class_of(region->slot)].is_taken(*region, ptr);
    }

    // Around fork.
    void lock()
    {
        for (diehard::SizeClass &one : classes_)
            one.lock.lock();
        shared_.lock.lock();
    }

    void unlock()
    {
        shared_.lock.unlock();
        for (diehard::SizeClass &one : classes_)
            one.lock.unlock();
    }

    // In the child, whose blocks are not to go where its parent's and its sisters' go.
    void reinit()
    {
        for (diehard::SizeClass &one : classes_)
            one.random.seed_from_system();
        unlock();
    }

    // For tests: from here on every run places blocks alike.
    void seed(std::uint64_t seed)
    {
        for (diehard::SizeClass &one : classes_)
            one.random.seed(++seed);
    }

    // For tests: how many slots there are now for blocks of a size.
    std::size_t slots(std::size_t size) const
    {
        return classes_[class_of(size)].slots();
    }

private:
    static constexpr unsigned smallest_log = 4, classes = 12;
    static constexpr std::size_t largest = std::size_t{1} << (smallest_log + classes - 1); // 32 KiB

    static constexpr unsigned class_of(std::size_t size)
    {
        if (size <= std::size_t{1} << smallest_log)
            return 0;
        return 64 - static_cast<unsigned>(__builtin_clzll(size - 1)) - smallest_log;
    }

    void *take(unsigned which)
    {
        return classes_[which].take(std::size_t{1} << (smallest_log + which), shared_);
    }

    // The region of what may be a block: null for an address that no block can have.
    diehard::Region *find(const void *ptr) const
    {
        diehard::Region *region = shared_.map.find(ptr);
        return region != nullptr && region->begins_slot(ptr) ? region : nullptr;
    }

    diehard::SizeClass classes_[classes];
    diehard::LargeObjects large_;
    diehard::Shared shared_;
};

#endif
