// Where the next block goes. Xorshift with a final multiplication (Marsaglia 2003, Vigna 2016): quick, and
// its high bits, which alone are used, are good. Not for secrets: who sees many addresses can work out it all.
#ifndef DIEHARD_RANDOM_HPP
#define DIEHARD_RANDOM_HPP

#include <cstddef>
#include <cstdint>

#include "pages.hpp"

namespace diehard {

class Random {
public:
    // The same seed, the same placements: for tests.
    void seed(std::uint64_t seed)
    {
        state_ = seed * 0x9e3779b97f4a7c15u | 1; // any seed but zero is good
        for (int i = 0; i < 8; i++)
            step();
    }

    // Where the system has none, addresses have to do.
    void seed_from_system()
    {
        std::uint64_t bytes = random_bytes();
        if (bytes == 0)
            bytes = reinterpret_cast<std::uintptr_t>(&bytes);
        seed(bytes ^ static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(this)) << 20);
    }

    bool is_seeded() const
    {
        return state_ != 0;
    }

    // From 0 to limit - 1, each as likely as the others but for one part in 2^32.
    std::size_t below(std::size_t limit)
    {
        return static_cast<std::size_t>((step() >> 32) * limit >> 32);
    }

private:
    std::uint64_t step()
    {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545f4914f6cdd1du;
    }

    std::uint64_t state_{0};
};

} // namespace diehard

#endif
