// Blocks beyond the largest class: a mapping each, with a header where a superblock's would be.
#ifndef HOARD_BIG_HPP
#define HOARD_BIG_HPP

#include "superblock.hpp"

namespace hoard {

struct Big : Header {
    Big(char *start, std::size_t size) : mapping(start), mapped(size) {}

    char *mapping;
    std::size_t mapped;

    static void *take(std::size_t alignment, std::size_t size)
    {
        std::size_t offset = alignment < line ? line : alignment;
        if (offset > span)
            offset = span;
        std::size_t whole;
        if (size == 0)
            size = 1; // or a block at the end of its mapping would be at somebody else's start
        // No object is larger than a difference of pointers can say.
        if (size > PTRDIFF_MAX || __builtin_add_overflow(size, offset + unit - 1, &whole)) {
            set_error(ENOMEM);
            return nullptr;
        }
        whole &= ~(unit - 1);
        char *mapping = alignment <= span ? claim(whole, span) : claim(whole, alignment, offset);
        if (mapping == nullptr)
            return nullptr;
        new (mapping) Big(mapping, whole);
        return mapping + offset;
    }

    void give()
    {
        disclaim(mapping, mapped);
    }

    std::size_t size_from(const void *ptr) const
    {
        return mapped - static_cast<std::size_t>(static_cast<const char *>(ptr) - mapping);
    }
};

} // namespace hoard

#endif
