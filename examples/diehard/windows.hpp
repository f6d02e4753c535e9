// What the heap has from Windows, of kernel32.dll alone: it may be in a process before all C libraries.
#ifndef DIEHARD_WINDOWS_HPP
#define DIEHARD_WINDOWS_HPP

#ifndef NOMINMAX
#define NOMINMAX
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

namespace diehard {

// Nobody here knows whose errno: the hooks set it, who know who was called.
inline void set_error(int)
{
}

class Lock {
public:
    void lock()
    {
        AcquireSRWLockExclusive(&lock_);
    }

    void unlock()
    {
        ReleaseSRWLockExclusive(&lock_);
    }

private:
    SRWLOCK lock_ = SRWLOCK_INIT;
};

// Its generators are in libraries that come later. What there is: 32 bits that the kernel gave the process, by which
// pointers are encoded, and the clock.
inline std::uint64_t random_bytes()
{
    LARGE_INTEGER now;
    QueryPerformanceCounter(&now);
    const auto encoded = reinterpret_cast<std::uintptr_t>(EncodePointer(&now));
    return static_cast<std::uint64_t>(now.QuadPart) << 32 ^ encoded;
}

// Zeroed memory, or null. Windows promises the pages at once, but provides none before it is touched.
inline char *map(std::size_t size)
{
    return static_cast<char *>(VirtualAlloc(nullptr, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE));
}

// All that one call mapped.
inline void unmap(char *start, std::size_t)
{
    VirtualFree(start, 0, MEM_RELEASE);
}

// Addresses alone, which nobody may touch. Windows knows no alignment beyond 64 KiB, and takes no part back: this
// looks for room, leaves it, and is quick to come back.
inline char *reserve(std::size_t size, std::size_t alignment)
{
    std::size_t whole;
    if (__builtin_add_overflow(size, alignment, &whole))
        return nullptr;
    for (int turn = 0; turn < 64; turn++) {
        void *room = VirtualAlloc(nullptr, whole, MEM_RESERVE, PAGE_NOACCESS);
        if (room == nullptr)
            return nullptr;
        VirtualFree(room, 0, MEM_RELEASE);
        void *start = reinterpret_cast<void *>(round_up(reinterpret_cast<std::uintptr_t>(room), alignment));
        if (VirtualAlloc(start, size, MEM_RESERVE, PAGE_NOACCESS) != nullptr)
            return static_cast<char *>(start);
    }
    return nullptr;
}

inline std::size_t page_size()
{
    return 4096; // of every CPU
}

// All of Windows' mappings begin at chunks.
inline char *map_aligned(std::size_t size, std::size_t)
{
    return map(size);
}

inline bool map_guarded(Guarded &object, std::size_t body, std::size_t alignment)
{
    std::size_t mapped;
    if (__builtin_add_overflow(body, alignment + page_size(), &mapped))
        return false;
    char *mapping = reserve(mapped, alignment);
    if (mapping == nullptr)
        return false;
    if (VirtualAlloc(mapping + alignment, body, MEM_COMMIT, PAGE_READWRITE) == nullptr) {
        unmap(mapping, mapped);
        return false;
    }
    object = {mapping + alignment, mapping, mapped};
    return true;
}

} // namespace diehard

#endif
