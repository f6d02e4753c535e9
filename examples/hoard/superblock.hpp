// A superblock: 256 KiB of blocks of one size, which belong to one heap at a time. Its header is at its
// start, and it is aligned, so that a block's address tells its superblock.
//
// What a superblock hands out and takes back are runs: whole cache lines. Where blocks are smaller than
// a line, a run holds several, and only the thread that was given the run has any of them from it: two
// threads never write to one line because of where their blocks are (false sharing). Each block that
// comes back is counted, and the run is free again when all have.
#ifndef HOARD_SUPERBLOCK_HPP
#define HOARD_SUPERBLOCK_HPP

#include <new>

#include "size_classes.hpp"
#include "spans.hpp"

namespace hoard {

class Heap;

// A block that nobody uses.
struct Free {
    Free *next;
};

// What every block's address tells.
struct Header {
    // Whose lock is wanted; null: nobody's, the block is a big one (big.hpp).
    std::atomic<Heap *> owner{nullptr};

    static Header *of(const void *block)
    {
        return reinterpret_cast<Header *>(header_of(block));
    }
};

class Superblock : public Header {
public:
    static constexpr std::size_t size = span;

    // Makes memory of this size an empty superblock.
    static Superblock *format(char *memory, unsigned which)
    {
        return new (memory) Superblock(which);
    }

    unsigned which() const
    {
        return which_;
    }

    std::size_t runs() const
    {
        return count_;
    }

    std::size_t used() const
    {
        return used_;
    }

    // Bytes that are handed out, and bytes that could be.
    std::size_t bytes_used() const
    {
        return used_ * run_;
    }

    std::size_t bytes() const
    {
        return count_ * run_;
    }

    // A whole run; there must be one left. `thread` is whose it is.
    char *take(std::uint32_t thread)
    {
        char *run = reinterpret_cast<char *>(free_);
        if (free_ != nullptr)
            free_ = free_->next;
        else
            run = first() + fresh_++ * run_;
        used_++;
        if (Line *line = line_of(run))
            *line = {thread, 0};
        return run;
    }

    // The blocks of a run that its taker does not use.
    void waive(char *run, unsigned blocks)
    {
        line_of(run)->back = static_cast<std::uint8_t>(blocks);
    }

    // One block comes back. Whether that was its run's last.
    bool give(void *ptr)
    {
        Line *line = line_of(ptr);
        if (line != nullptr && ++line->back < blocks_in_run())
            return false;
        Free *run = reinterpret_cast<Free *>(first() + number(ptr) * run_);
        run->next = free_;
        free_ = run;
        used_--;
        return true;
    }

    // Whose run a block is in; blocks that have theirs to themselves are everybody's.
    bool belongs_to(std::uint32_t thread, void *ptr)
    {
        const Line *line = line_of(ptr);
        return line == nullptr || line->thread == thread;
    }

    std::size_t block_size() const
    {
        return size_of(which_);
    }

    unsigned blocks_in_run() const
    {
        return static_cast<unsigned>(run_ / block_size());
    }

    // Where the block begins that an address is in.
    char *block_of(void *ptr)
    {
        return which_ < 2 ? static_cast<char *>(ptr) : first() + number(ptr) * run_;
    }

    // In its heap's list.
    Superblock *next{nullptr}, *previous{nullptr};
    unsigned group{0};

private:
    struct Line {
        std::uint32_t thread;
        std::uint8_t back;
    };

    explicit Superblock(unsigned which)
        : which_(which), run_(static_cast<std::uint32_t>(size_of(which) < line ? line : size_of(which)))
    {
        reciprocal_ = ((std::uint64_t{1} << 40) + run_ - 1) / run_;
        const std::size_t lines = run_ == size_of(which) ? 0 : size / line;
        first_ = static_cast<std::uint32_t>(round_up(sizeof(Superblock) + lines * sizeof(Line), line));
        count_ = static_cast<std::uint32_t>((size - first_) / run_);
    }

    char *first()
    {
        return reinterpret_cast<char *>(this) + first_;
    }

    // Offset by size, exact for all offsets below 2^18 and sizes up to 2^15.
    std::size_t number(const void *ptr)
    {
        const std::uint64_t offset = static_cast<std::uint64_t>(static_cast<const char *>(ptr) - first());
        return static_cast<std::size_t>(offset * reciprocal_ >> 40);
    }

    Line *line_of(const void *ptr)
    {
        return which_ < 2 ? reinterpret_cast<Line *>(this + 1) + number(ptr) : nullptr;
    }

    Free *free_{nullptr};
    std::uint64_t reciprocal_;
    std::uint32_t which_, run_, first_, count_;
    std::uint32_t fresh_{0}; // runs that nobody has ever had
    std::uint32_t used_{0};
};

} // namespace hoard

#endif
