// Memory from the system: mappings for blocks, and a supply for what the heap remembers about them, which
// lies nowhere near a block: nothing that a program writes past the end of one can reach it.
#ifndef DIEHARD_PAGES_HPP
#define DIEHARD_PAGES_HPP

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

namespace diehard {

// The unit in which the heap knows addresses: whatever it maps begins at a multiple of this.
constexpr std::size_t chunk_size = std::size_t{1} << 16;

inline std::size_t round_up(std::size_t size, std::size_t power)
{
    return (size + power - 1) & ~(power - 1);
}

inline std::size_t page_size()
{
    return static_cast<std::size_t>(getpagesize());
}

// No constructor at run time, and a child of fork may release what its parent's thread took.
class Lock {
public:
    void lock()
    {
        pthread_mutex_lock(&mutex_);
    }

    void unlock()
    {
        pthread_mutex_unlock(&mutex_);
    }

private:
    pthread_mutex_t mutex_ = PTHREAD_MUTEX_INITIALIZER;
};

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

// Zeroed memory, or null with ENOMEM. Nothing is reserved: most of an over-provisioned region is never used.
inline char *map(std::size_t size, int protection = PROT_READ | PROT_WRITE)
{
    void *start = mmap(nullptr, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return start == MAP_FAILED ? nullptr : static_cast<char *>(start);
}

inline void unmap(char *start, std::size_t size)
{
    const int kept = errno;
    if (size != 0)
        munmap(start, size);
    errno = kept;
}

// The same at a multiple of a power of two that is no smaller than a page. The size is whole pages.
inline char *map_aligned(std::size_t size, std::size_t alignment, int protection = PROT_READ | PROT_WRITE)
{
    char *start = map(size, protection);
    if (start == nullptr || (reinterpret_cast<std::uintptr_t>(start) & (alignment - 1)) == 0)
        return start;
    unmap(start, size);
    std::size_t whole;
    if (__builtin_add_overflow(size, alignment, &whole)) {
        errno = ENOMEM;
        return nullptr;
    }
    start = map(whole, protection);
    if (start == nullptr)
        return nullptr;
    const std::size_t before = round_up(reinterpret_cast<std::uintptr_t>(start), alignment)
        - reinterpret_cast<std::uintptr_t>(start);
    unmap(start, before);
    unmap(start + before + size, whole - before - size);
    return start + before;
}

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
