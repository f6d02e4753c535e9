// What the heap has from Windows, of kernel32.dll alone: it may be in a process before all C libraries.
#ifndef HOARD_WINDOWS_HPP
#define HOARD_WINDOWS_HPP

#ifndef NOMINMAX
#define NOMINMAX
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>

namespace hoard {

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

// A pointer of each thread's own. MinGW's thread-local variables are allocated, and gone before the thread's
// cleanup; a slot's value is neither.
template <typename T>
class PerThread {
public:
    operator T *() const
    {
        const DWORD number = number_.load(std::memory_order_acquire);
        if (number == 0)
            return nullptr;
        const DWORD error = GetLastError(); // a look that succeeds clears it
        T *value = static_cast<T *>(TlsGetValue(number - 1));
        SetLastError(error);
        return value;
    }

    void operator=(T *value)
    {
        if (number_.load(std::memory_order_acquire) == 0)
            make_slot();
        const DWORD number = number_.load(std::memory_order_acquire);
        if (number != 0)
            TlsSetValue(number - 1, value);
    }

private:
    // Without a slot every thread has null.
    static void make_slot()
    {
        const DWORD made = TlsAlloc();
        DWORD none = 0;
        if (made != TLS_OUT_OF_INDEXES && !number_.compare_exchange_strong(none, made + 1))
            TlsFree(made);
    }

    static inline std::atomic<DWORD> number_{0}; // one more than the slot's
};

// All that one `map` mapped: Windows takes no part of it back.
inline void unmap(char *start, std::size_t size)
{
    if (VirtualFree(start, 0, MEM_RELEASE))
        held.fetch_sub(size, std::memory_order_relaxed);
}

// Zeroed whole pages, or null. `offset` behind their start is a multiple of the alignment; Windows knows no
// alignment beyond 64 KiB, so this looks for room, leaves it, and is quick to come back.
inline char *map(std::size_t size, std::size_t alignment, std::size_t offset = 0)
{
    std::size_t whole;
    if (__builtin_add_overflow(size, alignment, &whole))
        return nullptr;
    for (int turn = 0; turn < 64; turn++) {
        void *room = VirtualAlloc(nullptr, whole, MEM_RESERVE, PAGE_NOACCESS);
        if (room == nullptr)
            return nullptr;
        VirtualFree(room, 0, MEM_RELEASE);
        const std::uintptr_t address = round_up(reinterpret_cast<std::uintptr_t>(room) + offset, alignment) - offset;
        char *start = reinterpret_cast<char *>(address);
        if (VirtualAlloc(start, size, MEM_RESERVE, PAGE_NOACCESS) == nullptr)
            continue; // somebody else was quicker
        if (VirtualAlloc(start, size, MEM_COMMIT, PAGE_READWRITE) != nullptr) {
            held.fetch_add(size, std::memory_order_relaxed);
            return start;
        }
        VirtualFree(start, 0, MEM_RELEASE);
        return nullptr;
    }
    return nullptr;
}

} // namespace hoard

#endif
