// A thread's buffer: for each size a list of blocks that its thread takes and leaves without any lock.
#ifndef HOARD_TLAB_HPP
#define HOARD_TLAB_HPP

#include "heap.hpp"

namespace hoard {

struct Tlab {
    // How many blocks of a size are kept at most: 16 KiB of them, and between 2 and 256.
    static constexpr unsigned limit(unsigned which)
    {
        const std::size_t fit = (std::size_t{16} << 10) / size_of(which);
        return static_cast<unsigned>(fit < 2 ? 2 : fit > 256 ? 256 : fit);
    }

    void *pop(unsigned which)
    {
        List &list = lists[which];
        Free *block = list.first;
        if (block != nullptr) {
            list.first = block->next;
            list.count--;
        }
        return block;
    }

    void push(unsigned which, void *ptr)
    {
        Free *block = static_cast<Free *>(ptr);
        List &list = lists[which];
        block->next = list.first;
        list.first = block;
        list.count++;
    }

    // What is there too much of: all but the blocks that came last, as a list of its own.
    Free *cut(unsigned which, unsigned keep)
    {
        List &list = lists[which];
        Free **end = &list.first;
        for (unsigned kept = 0; kept < keep && *end != nullptr; kept++)
            end = &(*end)->next;
        Free *rest = *end;
        *end = nullptr;
        list.count = list.count < keep ? list.count : keep;
        return rest;
    }

    bool is_full(unsigned which) const
    {
        return lists[which].count > limit(which);
    }

    struct List {
        Free *first;
        unsigned count;
    };

    std::uint32_t thread; // its number, from 1, which no other thread ever has
    Heap *heap;
    List lists[classes];
};

} // namespace hoard

#endif
