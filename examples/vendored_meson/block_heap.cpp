#include "block_heap.h"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <sched.h>
#include <sys/mman.h>

namespace {

// What stands right before each block, in the sixteen bytes that keep the block aligned.
struct Header {
    std::uint32_t offset; // from where the chunk begins to the block
    std::uint32_t power;  // the chunk has 2^power bytes; Mapped if it is a mapping of its own
    std::size_t usable;
};
static_assert(sizeof(Header) == 16 || sizeof(void *) == 4);

constexpr std::size_t Alignment = 16;
constexpr std::uint32_t Smallest = 5, Largest = 17, Mapped = 64;
constexpr std::size_t SlabSize = std::size_t{1} << 20;
constexpr std::size_t Page = 4096;

// May be locked again by the thread that holds it: a fork handler locks, and others then allocate.
class Lock {
public:
    void lock()
    {
        const void *const me = self();
        if (owner_.load(std::memory_order_relaxed) != me) {
            while (held_.exchange(true, std::memory_order_acquire))
                while (held_.load(std::memory_order_relaxed))
                    sched_yield();
            owner_.store(me, std::memory_order_relaxed);
        }
        ++depth_;
    }

    void unlock()
    {
        if (--depth_ != 0)
            return;
        owner_.store(nullptr, std::memory_order_relaxed);
        held_.store(false, std::memory_order_release);
    }

    void reset()
    {
        depth_ = 0;
        owner_.store(nullptr, std::memory_order_relaxed);
        held_.store(false, std::memory_order_release);
    }

private:
    // Initial-exec: other models may allocate on first use, and this is where that would end up.
    static const void *self()
    {
        static thread_local char mark __attribute__((tls_model("initial-exec")));
        return &mark;
    }

    std::atomic<bool> held_{false};
    std::atomic<const void *> owner_{nullptr};
    unsigned depth_ = 0;
};

class Heap {
public:
    void *allocate(std::size_t alignment, std::size_t size)
    {
        if (alignment < Alignment)
            alignment = Alignment;
        // Room for the header, and for the step to the next multiple of the alignment.
        const std::size_t extra = sizeof(Header) + Alignment + (alignment > Alignment ? alignment : 0);
        if (alignment > PTRDIFF_MAX / 4 || size > PTRDIFF_MAX - extra - Page)
            return fail();
        const std::size_t need = size + extra;
        if (need > std::size_t{1} << Largest)
            return map(alignment, need);
        std::uint32_t power = Smallest;
        while (std::size_t{1} << power < need)
            ++power;
        lock_.lock();
        char *const chunk = take(power);
        lock_.unlock();
        if (chunk == nullptr)
            return fail();
        return place(chunk, std::size_t{1} << power, alignment, power);
    }

    void release(void *block)
    {
        const Header header = header_of(block);
        char *const chunk = static_cast<char *>(block) - header.offset;
        if (header.power == Mapped) {
            const int kept = errno;
            munmap(chunk, header.offset + header.usable);
            errno = kept;
            return;
        }
        lock_.lock();
        std::memcpy(chunk, &free_[header.power], sizeof(char *));
        free_[header.power] = chunk;
        lock_.unlock();
    }

    static std::size_t usable(const void *block) { return header_of(block).usable; }

    Lock &lock() { return lock_; }

private:
    static void *fail()
    {
        errno = ENOMEM;
        return nullptr;
    }

    static Header header_of(const void *block)
    {
        Header header;
        std::memcpy(&header, static_cast<const char *>(block) - sizeof header, sizeof header);
        return header;
    }

    static void *place(char *chunk, std::size_t length, std::size_t alignment, std::uint32_t power)
    {
        const std::uintptr_t first = reinterpret_cast<std::uintptr_t>(chunk) + sizeof(Header);
        const std::size_t offset = ((first + alignment - 1) & ~(alignment - 1)) - (first - sizeof(Header));
        const Header header{static_cast<std::uint32_t>(offset), power, length - offset};
        std::memcpy(chunk + offset - sizeof header, &header, sizeof header);
        return chunk + offset;
    }

    static char *pages(std::size_t length)
    {
        const int kept = errno;
        void *const start = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        errno = kept;
        return start == MAP_FAILED ? nullptr : static_cast<char *>(start);
    }

    static void *map(std::size_t alignment, std::size_t need)
    {
        if (alignment > UINT32_MAX / 2)
            return fail(); // the header's offset could not say it
        const std::size_t length = (need + Page - 1) & ~(Page - 1);
        char *const chunk = pages(length);
        return chunk == nullptr ? fail() : place(chunk, length, alignment, Mapped);
    }

    char *take(std::uint32_t power)
    {
        if (char *const chunk = free_[power]) {
            std::memcpy(&free_[power], chunk, sizeof(char *));
            return chunk;
        }
        const std::size_t length = std::size_t{1} << power;
        if (static_cast<std::size_t>(end_ - next_) < length) {
            char *const slab = pages(SlabSize); // what is left of the last one is lost
            if (slab == nullptr)
                return nullptr;
            next_ = slab;
            end_ = slab + SlabSize;
        }
        char *const chunk = next_;
        next_ += length;
        return chunk;
    }

    Lock lock_;
    char *free_[Largest + 1] = {};
    char *next_ = nullptr, *end_ = nullptr;
};

// Initialized by the compiler, not by a constructor: the first call comes before those.
#if __cplusplus >= 202002L
constinit
#endif
Heap heap;

} // namespace

extern "C" {

void *block_heap_malloc(size_t size) { return heap.allocate(1, size); }

void block_heap_free(void *ptr)
{
    if (ptr != nullptr)
        heap.release(ptr);
}

void *block_heap_memalign(size_t alignment, size_t size) { return heap.allocate(alignment, size); }

size_t block_heap_malloc_usable_size(void *ptr) { return ptr == nullptr ? 0 : Heap::usable(ptr); }

void *block_heap_realloc(void *ptr, size_t size)
{
    if (ptr == nullptr)
        return block_heap_malloc(size);
    const std::size_t usable = Heap::usable(ptr);
    if (size <= usable && size >= usable / 4)
        return ptr;
    void *const moved = block_heap_malloc(size);
    if (moved != nullptr) {
        std::memcpy(moved, ptr, size < usable ? size : usable);
        block_heap_free(ptr);
    }
    return moved;
}

void block_heap_malloc_lock(void) { heap.lock().lock(); }
void block_heap_malloc_unlock(void) { heap.lock().unlock(); }
void block_heap_malloc_reinit(void) { heap.lock().reset(); }
}
