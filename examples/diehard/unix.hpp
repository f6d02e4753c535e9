// What the heap has from Unix.
#ifndef DIEHARD_UNIX_HPP
#define DIEHARD_UNIX_HPP

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>
#ifdef __APPLE__
#include <sys/random.h>
#else
#include <sys/syscall.h>
#endif

#ifndef MAP_NORESERVE // FreeBSD reserves nothing anyway
#define MAP_NORESERVE 0
#endif

namespace diehard {

inline void set_error(int error)
{
    errno = error;
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

// The kernel's; 0 where there are none yet, early in a boot. Not by getrandom(), which is a cancellation point
// (glibc, musl): malloc is none, and a cancelled thread must not end with a lock of ours.
inline std::uint64_t random_bytes()
{
    std::uint64_t bytes = 0;
#ifdef __APPLE__
    const bool random = getentropy(&bytes, sizeof bytes) == 0;
#else
    constexpr unsigned without_waiting = 1; // GRND_NONBLOCK
    const long read = syscall(SYS_getrandom, &bytes, sizeof bytes, without_waiting);
    const bool random = read == static_cast<long>(sizeof bytes);
#endif
    return random ? bytes : 0;
}

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

inline std::size_t page_size()
{
    return static_cast<std::size_t>(getpagesize());
}

inline bool map_guarded(Guarded &object, std::size_t body, std::size_t alignment)
{
    const std::size_t page = page_size();
    std::size_t mapped;
    if (__builtin_add_overflow(body, alignment + page + chunk_size, &mapped)) {
        errno = ENOMEM;
        return false;
    }
    mapped = alignment + round_up(body + page, chunk_size);
    // One alignment before the object is more than a page: the guard.
    char *mapping = map_aligned(mapped, alignment, PROT_NONE);
    if (mapping == nullptr)
        return false;
    char *start = mapping + alignment;
    unmap(mapping, alignment - page);
    mapping += alignment - page;
    mapped -= alignment - page;
    if (mprotect(start, body, PROT_READ | PROT_WRITE) != 0) {
        unmap(mapping, mapped);
        errno = ENOMEM;
        return false;
    }
    object = {start, mapping, mapped};
    return true;
}

} // namespace diehard

#endif
