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
        if (__builtin_add_overflow(size, offset + page - 1, &whole)) {
            errno = ENOMEM;
            return nullptr;
        }
        whole &= ~(page - 1);
        char *mapping;
        char *block;
        if (alignment <= span) {
            mapping = map(whole, span);
            block = mapping + offset;
        } else {
            // What is before the header goes back.
            if (__builtin_add_overflow(whole, alignment - offset, &whole)) {
                errno = ENOMEM;
                return nullptr;
            }
            mapping = map(whole, alignment);
            block = mapping + alignment;
            if (mapping != nullptr) {
                unmap(mapping, alignment - offset);
                mapping += alignment - offset;
                whole -= alignment - offset;
            }
        }
        if (mapping == nullptr)
            return nullptr;
        new (mapping) Big(mapping, whole);
        return block;
    }

    void give()
    {
        unmap(mapping, mapped);
    }

    std::size_t size_from(const void *ptr) const
    {
        return mapped - static_cast<std::size_t>(static_cast<const char *>(ptr) - mapping);
    }

private:
    // A multiple of every page size that there is.
    static constexpr std::size_t page = std::size_t{1} << 16;
};

} // namespace hoard

#endif
