// What the heap has from the system: a lock that needs no constructor, and mappings.
#ifndef HOARD_SYSTEM_HPP
#define HOARD_SYSTEM_HPP

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>

#include <pthread.h>
#include <sys/mman.h>

namespace hoard {

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

#ifdef __APPLE__
// A pointer of each thread's own. A thread-local variable would be a call here that allocates, so this is a
// key's value; the system takes that away when the thread ends, in each round, and `keep` puts it back.
template <typename T>
class PerThread {
public:
    operator T *() const
    {
        const pthread_key_t key = key_.load(std::memory_order_acquire);
        return key == 0 ? nullptr : static_cast<T *>(pthread_getspecific(key));
    }

    void operator=(T *value)
    {
        if (key_.load(std::memory_order_acquire) == 0)
            make_key();
        pthread_setspecific(key_.load(std::memory_order_acquire), value);
    }

private:
    static void keep(void *value)
    {
        pthread_setspecific(key_.load(std::memory_order_acquire), value);
    }

    // Without a key every thread has null.
    static void make_key()
    {
        pthread_key_t made, none = 0;
        if (pthread_key_create(&made, keep) == 0 && !key_.compare_exchange_strong(none, made))
            pthread_key_delete(made);
    }

    static inline std::atomic<pthread_key_t> key_{0}; // no key has the number 0
};
#endif

inline std::size_t round_up(std::size_t size, std::size_t power)
{
    return (size + power - 1) & ~(power - 1);
}

// Bytes mapped now.
inline std::atomic<std::size_t> held{0};

inline void unmap(char *start, std::size_t size)
{
    const int kept = errno;
    if (size != 0 && munmap(start, size) == 0)
        held.fetch_sub(size, std::memory_order_relaxed);
    errno = kept;
}

// Zeroed whole pages at a multiple of a power of two, or null with ENOMEM.
inline char *map(std::size_t size, std::size_t alignment)
{
    std::size_t whole;
    if (__builtin_add_overflow(size, alignment, &whole)) {
        errno = ENOMEM;
        return nullptr;
    }
    void *mapped = mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED)
        return nullptr;
    held.fetch_add(whole, std::memory_order_relaxed);
    char *start = static_cast<char *>(mapped);
    const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(start);
    const std::size_t before = round_up(address, alignment) - address;
    unmap(start, before);
    unmap(start + before + size, alignment - before);
    return start + before;
}

} // namespace hoard

#endif
