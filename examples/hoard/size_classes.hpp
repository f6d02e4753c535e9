// The sizes that blocks have. Beyond 32 bytes all are whole cache lines; of the two below, several share one.
#ifndef HOARD_SIZE_CLASSES_HPP
#define HOARD_SIZE_CLASSES_HPP

#include <cstddef>
#include <cstdint>

namespace hoard {

constexpr std::size_t line = 64;
constexpr std::size_t largest = 32768;

// 16, 32, then 64 to 512 in lines, then four steps to each doubling: no block is more than a fifth too large.
constexpr unsigned class_of(std::size_t size)
{
    if (size <= 32)
        return size <= 16 ? 0 : 1;
    if (size <= 512)
        return static_cast<unsigned>((size + line - 1) / line) + 1;
    const unsigned log = 63u - static_cast<unsigned>(__builtin_clzll(size - 1)); // 9 for up to 1024
    const unsigned quarter = static_cast<unsigned>((size - 1) >> (log - 2)) & 3;
    return 10 + (log - 9) * 4 + quarter;
}

constexpr std::size_t size_of(unsigned which)
{
    if (which < 2)
        return which == 0 ? 16 : 32;
    if (which < 10)
        return (which - 1) * line;
    const unsigned log = 9 + (which - 10) / 4, quarter = (which - 10) % 4;
    return (std::size_t{1} << log) + (std::size_t{quarter + 1} << (log - 2));
}

constexpr unsigned classes = class_of(largest) + 1;

static_assert(size_of(class_of(largest)) == largest && size_of(class_of(513)) == 640 && size_of(class_of(512)) == 512);

} // namespace hoard

#endif
