// An allocator for many threads in the manner of Hoard (Berger, McKinley, Blumofe and Wilson, "Hoard: A
// Scalable Memory Allocator for Multithreaded Applications", ASPLOS 2000): heaps of superblocks, each heap
// for some of the threads, and a global one that takes what a heap has too much of. So memory that one
// thread allocates and another frees comes back, and the heap stays within a constant factor of what is used.
#ifndef HOARD_HPP
#define HOARD_HPP

#include <cstring>

#include "big.hpp"
#include "global.hpp"
#include "tlab.hpp"

// Set by who hooks the creation of threads, before the second begins: until then, whoever comes is the main one.
extern "C" volatile int xxthread_created_flag;

class Hoard {
public:
    void *malloc(std::size_t size)
    {
        return size <= hoard::largest ? take(hoard::class_of(size)) : hoard::Big::take(1, size);
    }

    void free(void *ptr)
    {
        if (ptr == nullptr)
            return;
        hoard::Header *header = hoard::Header::of(ptr);
        if (header->owner.load(std::memory_order_acquire) == nullptr)
            return static_cast<hoard::Big *>(header)->give();
        auto *superblock = static_cast<hoard::Superblock *>(header);
        ptr = superblock->block_of(ptr);
        hoard::Tlab *tlab = this->tlab();
        if (tlab != nullptr && superblock->belongs_to(tlab->thread, ptr)) {
            const unsigned which = superblock->which();
            tlab->push(which, ptr);
            if (tlab->is_full(which))
                give_all(tlab->cut(which, tlab->limit(which) / 2));
            return;
        }
        auto *block = static_cast<hoard::Free *>(ptr);
        block->next = nullptr;
        give_all(block);
    }

    void *calloc(std::size_t nmemb, std::size_t size)
    {
        std::size_t total;
        if (__builtin_mul_overflow(nmemb, size, &total)) {
            hoard::set_error(ENOMEM);
            return nullptr;
        }
        void *ptr = malloc(total);
        if (ptr == nullptr || total > hoard::largest) // mappings are zero
            return ptr;
        __asm__ volatile("" : "+r"(ptr)); // malloc and memset are not to become a call of calloc
        return std::memset(ptr, 0, total);
    }

    void *realloc(void *ptr, std::size_t size)
    {
        if (ptr == nullptr)
            return malloc(size);
        if (size == 0) {
            free(ptr);
            return nullptr;
        }
        const std::size_t usable = getSize(ptr);
        if (size <= usable && size > usable / 2)
            return ptr;
        void *moved = malloc(size);
        if (moved == nullptr)
            return nullptr;
        std::memcpy(moved, ptr, usable < size ? usable : size);
        free(ptr);
        return moved;
    }

    void *memalign(std::size_t alignment, std::size_t size)
    {
        if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
            hoard::set_error(EINVAL);
            return nullptr;
        }
        // Blocks of whole lines begin at lines; what needs more begins inside a larger block.
        if (alignment <= hoard::line && size <= hoard::largest)
            return take(hoard::class_of(size < alignment ? alignment : size));
        if (alignment > hoard::largest || size > hoard::largest - alignment)
            return hoard::Big::take(alignment, size);
        char *block = static_cast<char *>(take(hoard::class_of(size + alignment)));
        if (block == nullptr)
            return nullptr;
        const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(block);
        return block + (hoard::round_up(address, alignment) - address);
    }

    std::size_t getSize(void *ptr)
    {
        if (ptr == nullptr)
            return 0;
        hoard::Header *header = hoard::Header::of(ptr);
        if (header->owner.load(std::memory_order_acquire) == nullptr)
            return static_cast<hoard::Big *>(header)->size_from(ptr);
        auto *superblock = static_cast<hoard::Superblock *>(header);
        const char *end = superblock->block_of(ptr) + superblock->block_size();
        return static_cast<std::size_t>(end - static_cast<char *>(ptr));
    }

    // Whose a block is, whatever the address.
    bool owns(const void *ptr) const
    {
        return hoard::spans.has(ptr);
    }

    // Around fork. The child has one thread and its buffer; what others had in theirs is lost to it.
    void lock()
    {
        for (hoard::Heap &heap : heaps_)
            heap.lock.lock();
        global_.lock();
    }

    void unlock()
    {
        global_.unlock();
        for (hoard::Heap &heap : heaps_)
            heap.lock.unlock();
    }

    // A thread without a buffer is served too, one block at a time.
    void threadInit()
    {
        if (mine == nullptr)
            mine = make_tlab();
    }

    void threadCleanup()
    {
        hoard::Tlab *tlab = mine;
        mine = nullptr;
        if (tlab == nullptr)
            return;
        for (unsigned which = 0; which < hoard::classes; which++)
            give_all(tlab->cut(which, 0));
        free(tlab);
    }

    // For tests: empty superblocks that any heap may have.
    std::size_t spare()
    {
        return global_.spare();
    }

private:
    static constexpr std::size_t heaps = 16;

    hoard::Tlab *tlab()
    {
        if (__builtin_expect(mine == nullptr, 0) && is_first())
            mine = make_tlab();
        return mine;
    }

    // The main thread, which nobody announces. Others that come without a word, because nobody hooks the
    // creation of threads or libc made them for itself, would never say that they end either.
    bool is_first() const
    {
        return xxthread_created_flag == 0 && threads_.load(std::memory_order_relaxed) == 0;
    }

    // A buffer is a block like others; null if there is no memory for it.
    hoard::Tlab *make_tlab()
    {
        void *memory = take_one(hoard::class_of(sizeof(hoard::Tlab)));
        if (memory == nullptr)
            return nullptr;
        const std::uint32_t thread = threads_.fetch_add(1, std::memory_order_relaxed) + 1;
        return new (memory) hoard::Tlab{thread, &heaps_[thread % heaps], {}};
    }

    void *take(unsigned which)
    {
        hoard::Tlab *tlab = this->tlab();
        if (__builtin_expect(tlab == nullptr, 0))
            return take_one(which);
        void *block = tlab->pop(which);
        if (__builtin_expect(block != nullptr, 1))
            return block;
        return refill(*tlab, which) ? tlab->pop(which) : nullptr;
    }

    // Half of what a buffer may have, or as much as there is.
    bool refill(hoard::Tlab &tlab, unsigned which)
    {
        hoard::Heap &heap = *tlab.heap;
        hoard::Holding holding(heap.lock);
        unsigned wanted = tlab.limit(which) / 2;
        while (tlab.lists[which].count < wanted) {
            hoard::Superblock *superblock = with_room(heap, which);
            if (superblock == nullptr)
                break;
            char *run = heap.take(superblock, tlab.thread);
            for (unsigned i = superblock->blocks_in_run(); i-- > 0;)
                tlab.push(which, run + i * superblock->block_size());
        }
        return tlab.lists[which].count != 0;
    }

    // A block for a thread that has no buffer: it has the whole run, and uses its first.
    void *take_one(unsigned which)
    {
        hoard::Heap &heap = heaps_[0];
        hoard::Holding holding(heap.lock);
        hoard::Superblock *superblock = with_room(heap, which);
        if (superblock == nullptr)
            return nullptr;
        char *run = heap.take(superblock, 0);
        if (superblock->blocks_in_run() > 1)
            superblock->waive(run, superblock->blocks_in_run() - 1);
        return run;
    }

    // The heap's own, or one from the global heap.
    hoard::Superblock *with_room(hoard::Heap &heap, unsigned which)
    {
        hoard::Superblock *superblock = heap.with_room(which);
        if (superblock == nullptr && global_.supply(heap, which))
            superblock = heap.with_room(which);
        return superblock;
    }

    // Back to their superblocks, whoever has these now.
    void give_all(hoard::Free *blocks)
    {
        hoard::Heap *locked = nullptr;
        while (blocks != nullptr) {
            auto *superblock = static_cast<hoard::Superblock *>(hoard::Header::of(blocks));
            hoard::Heap *owner = superblock->owner.load(std::memory_order_acquire);
            if (owner != locked) {
                if (locked != nullptr)
                    locked->lock.unlock();
                locked = owner;
                locked->lock.lock();
                continue; // it may have moved meanwhile
            }
            hoard::Free *next = blocks->next;
            owner->give(superblock, blocks);
            blocks = next;
            if (global_.is(owner))
                global_.settle(superblock);
            else
                hand_over(*owner, superblock->which());
        }
        if (locked != nullptr)
            locked->lock.unlock();
    }

    void hand_over(hoard::Heap &heap, unsigned which)
    {
        while (heap.has_too_much(which)) {
            hoard::Superblock *superblock = heap.emptiest(which);
            heap.remove(superblock);
            global_.give(superblock);
        }
    }

#if defined __APPLE__ || defined __ANDROID__ || defined _WIN32
    static inline hoard::PerThread<hoard::Tlab> mine;
#else
    static inline thread_local hoard::Tlab *mine __attribute__((tls_model("initial-exec"))) = nullptr;
#endif

    hoard::Heap heaps_[heaps];
    hoard::Global global_;
    std::atomic<std::uint32_t> threads_{0};
};

#endif
