// What the heap has from the system: a lock that needs no constructor, and mappings.
#ifndef HOARD_SYSTEM_HPP
#define HOARD_SYSTEM_HPP

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace hoard {

inline std::size_t round_up(std::size_t size, std::size_t power)
{
    return (size + power - 1) & ~(power - 1);
}

// Bytes mapped now.
inline std::atomic<std::size_t> held{0};

} // namespace hoard

#ifdef _WIN32
#include "windows.hpp"
#else
#include "unix.hpp"
#endif

namespace hoard {

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

} // namespace hoard

#endif
