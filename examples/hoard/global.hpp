// The global heap: superblocks that no thread allocates from until its own heap takes them, and some empty
// ones, which can be made superblocks of any size. Empty ones beyond those go back to the system.
#ifndef HOARD_GLOBAL_HPP
#define HOARD_GLOBAL_HPP

#include "heap.hpp"

namespace hoard {

class Global {
public:
    bool is(const Heap *heap) const
    {
        return heap == &heap_;
    }

    // Gives a heap a superblock with room; the caller holds that heap's lock. False with ENOMEM.
    bool supply(Heap &heap, unsigned which)
    {
        // Until it is the heap's: who frees one of its blocks meanwhile waits for this lock.
        Holding holding(heap_.lock);
        Superblock *superblock = heap_.with_room(which);
        if (superblock != nullptr)
            heap_.remove(superblock);
        else if ((superblock = empty(which)) == nullptr)
            return false;
        heap.add(superblock);
        return true;
    }

    // One that a heap has too much of; the caller holds that heap's lock.
    void give(Superblock *superblock)
    {
        Holding holding(heap_.lock);
        heap_.add(superblock);
        settle(superblock);
    }

    // Under the global heap's lock: an empty superblock is a spare one, or no one's.
    void settle(Superblock *superblock)
    {
        if (superblock->used() != 0)
            return;
        heap_.remove(superblock);
        char *memory = reinterpret_cast<char *>(superblock);
        if (spares_ == most_spares)
            return disclaim(memory, Superblock::size);
        spare_ = new (memory) Free{spare_};
        spares_++;
    }

    std::size_t spare()
    {
        Holding holding(heap_.lock);
        return spares_;
    }

    // Around fork, after all other heaps.
    void lock()
    {
        heap_.lock.lock();
    }

    void unlock()
    {
        heap_.lock.unlock();
    }

private:
    Superblock *empty(unsigned which)
    {
        char *memory = reinterpret_cast<char *>(spare_);
        if (memory != nullptr) {
            spare_ = spare_->next;
            spares_--;
        } else {
            memory = claim(Superblock::size, Superblock::size);
        }
        return memory == nullptr ? nullptr : Superblock::format(memory, which);
    }

    static constexpr std::size_t most_spares = 16; // 4 MiB

    Heap heap_;
    Free *spare_{nullptr};
    std::size_t spares_{0};
};

} // namespace hoard

#endif
