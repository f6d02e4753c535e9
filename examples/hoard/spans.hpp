// Which addresses are the heap's. Superblocks and big blocks begin at multiples of a span, where their header is;
// a table of all spans says how much of each is theirs, so that whose a block is can be asked of any address
// without a look at its memory.
#ifndef HOARD_SPANS_HPP
#define HOARD_SPANS_HPP

#include "system.hpp"

namespace hoard {

constexpr std::size_t span = std::size_t{1} << 18;

// In which memory is mapped: a multiple of every page size that there is.
constexpr std::size_t unit = std::size_t{1} << 16;

// The address of the header of what is at this one. A block at a multiple of the span has it a span before.
inline std::uintptr_t header_of(const void *block)
{
    return (reinterpret_cast<std::uintptr_t>(block) - 1) & ~(span - 1);
}

class Spans {
public:
    // Without a lock: the entry of a block in use does not change.
    bool has(const void *block) const
    {
        const std::uintptr_t header = header_of(block), number = header / span;
        if (number / numbers >= leaves)
            return false;
        const Leaf *leaf = leaves_[number / numbers].load(std::memory_order_acquire);
        const std::size_t size = leaf == nullptr ? 0 : leaf->units[number % numbers].load(std::memory_order_relaxed) * unit;
        return reinterpret_cast<std::uintptr_t>(block) - header < size;
    }

    // Of memory that begins at a multiple of the span; false with ENOMEM.
    bool enter(const char *start, std::size_t size)
    {
        const std::uintptr_t number = reinterpret_cast<std::uintptr_t>(start) / span;
        if (number / numbers >= leaves) {
            set_error(ENOMEM);
            return false;
        }
        Leaf *leaf = made(leaves_[number / numbers]);
        if (leaf == nullptr)
            return false;
        const std::size_t units = size <= span ? size / unit : span / unit + 1; // the next multiple too
        leaf->units[number % numbers].store(static_cast<std::uint8_t>(units), std::memory_order_relaxed);
        return true;
    }

    void leave(const char *start)
    {
        const std::uintptr_t number = reinterpret_cast<std::uintptr_t>(start) / span;
        leaves_[number / numbers].load(std::memory_order_acquire)->units[number % numbers].store(
            0, std::memory_order_relaxed);
    }

private:
    static constexpr bool is_wide = sizeof(void *) == 8;
    static constexpr std::size_t numbers = std::size_t{1} << (is_wide ? 16 : 14);
    static constexpr std::size_t leaves = is_wide ? (std::size_t{1} << (48 - 16)) / span : 1;

    struct Leaf {
        std::atomic<std::uint8_t> units[numbers];
    };

    static Leaf *made(std::atomic<Leaf *> &place)
    {
        Leaf *leaf = place.load(std::memory_order_acquire), *none = nullptr;
        if (leaf != nullptr)
            return leaf;
        char *memory = map(round_up(sizeof(Leaf), unit), unit);
        if (memory == nullptr || place.compare_exchange_strong(none, reinterpret_cast<Leaf *>(memory)))
            return reinterpret_cast<Leaf *>(memory);
        unmap(memory, round_up(sizeof(Leaf), unit)); // another thread made it
        return none;
    }

    std::atomic<Leaf *> leaves_[leaves]{};
};

inline Spans spans;

// Zeroed units that are the heap's, `offset` before a multiple of the alignment; null with ENOMEM.
inline char *claim(std::size_t size, std::size_t alignment, std::size_t offset = 0)
{
    char *start = map(size, alignment, offset);
    if (start == nullptr || spans.enter(start, size))
        return start;
    unmap(start, size);
    return nullptr;
}

inline void disclaim(char *start, std::size_t size)
{
    spans.leave(start);
    unmap(start, size);
}

} // namespace hoard

#endif
