// Memory from the system: mappings for blocks, and a supply for what the heap remembers about them, which
// lies nowhere near a block: nothing that a program writes past the end of one can reach it.
#ifndef DIEHARD_PAGES_HPP
#define DIEHARD_PAGES_HPP

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace diehard {

// The unit in which the heap knows addresses: whatever it maps begins at a multiple of this.
constexpr std::size_t chunk_size = std::size_t{1} << 16;

inline std::size_t round_up(std::size_t size, std::size_t power)
{
    return (size + power - 1) & ~(power - 1);
}

// A block that fills some pages, between pages that nobody may touch: its last chunk has nothing of anybody else.
struct Guarded {
    char *start;
    char *mapping;
    std::size_t mapped;
};

} // namespace diehard

#ifdef _WIN32
#include "windows.hpp"
#else
#include "unix.hpp"
#endif

namespace diehard {

class Holding {
public:
    explicit Holding(Lock &lock) : lock_(lock)
    {
        lock_.lock();
    }

    ~Holding()
    {
        lock_.unlock();
    }

    Holding(const Holding &) = delete;
    Holding &operator=(const Holding &) = delete;

private:
    Lock &lock_;
};

// What the heap remembers: handed out piece by piece, zeroed, and never given back.
class Records {
public:
    void *take(std::size_t size)
    {
        size = round_up(size, alignof(std::max_align_t));
        if (size > left_) {
            const std::size_t fresh = round_up(size, chunk_size);
            char *start = map(fresh);
            if (start == nullptr)
                return nullptr;
            next_ = start;
            left_ = fresh;
        }
        char *taken = next_;
        next_ += size;
        left_ -= size;
        return taken;
    }

private:
    char *next_{nullptr};
    std::size_t left_{0};
};

} // namespace diehard

#endif
