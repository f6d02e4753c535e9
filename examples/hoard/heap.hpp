// A heap: superblocks by size and fullness, under one lock. There are several for threads to share, and a
// global one, to which others hand what they have too much of.
#ifndef HOARD_HEAP_HPP
#define HOARD_HEAP_HPP

#include "superblock.hpp"

namespace hoard {

class Heap {
public:
    // A superblock with a run to take, the fullest first, so that the emptier ones become empty.
    Superblock *with_room(unsigned which)
    {
        for (unsigned group = full; group-- > 0;)
            if (Superblock *first = bins_[which].groups[group])
                return first;
        return nullptr;
    }

    // The other end: one that is at least a quarter empty, or null.
    Superblock *emptiest(unsigned which)
    {
        for (unsigned group = 0; group < full - 1; group++)
            if (Superblock *first = bins_[which].groups[group])
                return first;
        return nullptr;
    }

    void add(Superblock *superblock)
    {
        Bin &bin = bins_[superblock->which()];
        bin.used += superblock->bytes_used();
        bin.bytes += superblock->bytes();
        superblock->owner.store(this, std::memory_order_release);
        link(bin, superblock);
    }

    void remove(Superblock *superblock)
    {
        Bin &bin = bins_[superblock->which()];
        bin.used -= superblock->bytes_used();
        bin.bytes -= superblock->bytes();
        unlink(bin, superblock);
    }

    char *take(Superblock *superblock, std::uint32_t thread)
    {
        Bin &bin = bins_[superblock->which()];
        const std::size_t before = superblock->bytes_used();
        char *run = superblock->take(thread);
        bin.used += superblock->bytes_used() - before;
        regroup(bin, superblock);
        return run;
    }

    void give(Superblock *superblock, void *ptr)
    {
        Bin &bin = bins_[superblock->which()];
        const std::size_t before = superblock->bytes_used();
        if (superblock->give(ptr)) {
            bin.used -= before - superblock->bytes_used();
            regroup(bin, superblock);
        }
    }

    // The paper's invariant: of one size a heap holds at most one superblock, or a quarter, beyond what is
    // in use. Where this says true, its emptiest belongs to the global heap.
    bool has_too_much(unsigned which) const
    {
        const Bin &bin = bins_[which];
        return bin.used + Superblock::size < bin.bytes && bin.used < bin.bytes / 4 * 3;
    }

    Lock lock;

private:
    // By quarters of what is in use; the last is for superblocks without room.
    static constexpr unsigned full = 4;

    struct Bin {
        Superblock *groups[full + 1];
        std::size_t used, bytes;
    };

    static unsigned group_of(const Superblock *superblock)
    {
        return static_cast<unsigned>(superblock->used() * full / superblock->runs());
    }

    static void link(Bin &bin, Superblock *superblock)
    {
        superblock->group = group_of(superblock);
        Superblock *&first = bin.groups[superblock->group];
        superblock->next = first;
        superblock->previous = nullptr;
        if (first != nullptr)
            first->previous = superblock;
        first = superblock;
    }

    static void unlink(Bin &bin, Superblock *superblock)
    {
        if (superblock->next != nullptr)
            superblock->next->previous = superblock->previous;
        if (superblock->previous != nullptr)
            superblock->previous->next = superblock->next;
        else
            bin.groups[superblock->group] = superblock->next;
    }

    static void regroup(Bin &bin, Superblock *superblock)
    {
        if (superblock->group == group_of(superblock))
            return;
        unlink(bin, superblock);
        link(bin, superblock);
    }

    Bin bins_[classes]{};
};

} // namespace hoard

#endif
