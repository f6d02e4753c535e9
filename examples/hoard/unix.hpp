// What the heap has from Unix: a lock that needs no constructor, and mappings.
#ifndef HOARD_UNIX_HPP
#define HOARD_UNIX_HPP

#include <pthread.h>
#include <sys/mman.h>

namespace hoard {

inline void set_error(int error)
{
    errno = error;
}

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

#if defined __APPLE__ || defined __ANDROID__
// A pointer of each thread's own. A thread-local variable would be a call here that allocates (on Android before API
// 29), so this is a key's value; Apple takes that away when the thread ends, in each round, and `keep` puts it back.
template <typename T>
class PerThread {
public:
    operator T *() const
    {
        const std::uintptr_t key = key_.load(std::memory_order_acquire);
        return key == 0 ? nullptr : static_cast<T *>(pthread_getspecific(static_cast<pthread_key_t>(key - 1)));
    }

    void operator=(T *value)
    {
        if (key_.load(std::memory_order_acquire) == 0)
            make_key();
        keep(value);
    }

private:
    // Without a key every thread has null.
    static void keep(void *value)
    {
        const std::uintptr_t key = key_.load(std::memory_order_acquire);
        if (key != 0)
            pthread_setspecific(static_cast<pthread_key_t>(key - 1), value);
    }

    static void make_key()
    {
        pthread_key_t made;
        std::uintptr_t none = 0;
        if (pthread_key_create(&made, keep) == 0 && !key_.compare_exchange_strong(none, std::uintptr_t{1} + made))
            pthread_key_delete(made);
    }

    static inline std::atomic<std::uintptr_t> key_{0}; // one more than the key
};
#endif

// What `map` mapped, or a part of it.
inline void unmap(char *start, std::size_t size)
{
    const int kept = errno;
    if (size != 0 && munmap(start, size) == 0)
        held.fetch_sub(size, std::memory_order_relaxed);
    errno = kept;
}

// Zeroed whole pages, or null with ENOMEM. `offset` behind their start is a multiple of the alignment.
inline char *map(std::size_t size, std::size_t alignment, std::size_t offset = 0)
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
    const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(start) + offset;
    const std::size_t before = round_up(address, alignment) - address;
    unmap(start, before);
    unmap(start + before + size, alignment - before);
    return start + before;
}

} // namespace hoard

#endif
