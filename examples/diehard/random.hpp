// Where the next block goes. Xorshift with a final multiplication (Marsaglia 2003, Vigna 2016): quick, and
// its high bits, which alone are used, are good. Not for secrets: who sees many addresses can work out it all.
#ifndef DIEHARD_RANDOM_HPP
#define DIEHARD_RANDOM_HPP

#include <cstddef>
#include <cstdint>

#ifdef __APPLE__
#include <sys/random.h>
#else
#include <sys/syscall.h>
#include <unistd.h>
#endif

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

    // The kernel's; where there are none yet, early in a boot, addresses have to do. Not by getrandom(), which is
    // a cancellation point (glibc, musl): malloc is none, and a cancelled thread must not end with a lock of ours.
    void seed_from_system()
    {
        std::uint64_t bytes = 0;
#ifdef __APPLE__
        const bool random = getentropy(&bytes, sizeof bytes) == 0;
#else
        constexpr unsigned without_waiting = 1; // GRND_NONBLOCK
        const long read = syscall(SYS_getrandom, &bytes, sizeof bytes, without_waiting);
        const bool random = read == static_cast<long>(sizeof bytes);
#endif
        if (!random)
            bytes = reinterpret_cast<std::uintptr_t>(&bytes) ^ reinterpret_cast<std::uintptr_t>(this) << 20;
        seed(bytes);
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
