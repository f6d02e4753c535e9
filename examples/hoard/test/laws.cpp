// What Hoard owes to programs with many threads: memory that moves between them comes back, and none
// slows another down by where its blocks are. The heap is compiled in; this program's own malloc is libc's.
#include "../hoard.cpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <set>
#include <vector>

#include "threads.hpp"

static const char *law;
static int broken;

#define CHECK(condition, ...) \
    do { \
        if (!(condition)) { \
            std::printf("%s: %s is false; ", law, #condition); \
            std::printf(__VA_ARGS__); \
            std::printf("\n"); \
            broken = 1; \
        } \
    } while (0)

using Blocks = std::vector<void *>;
constexpr std::size_t MiB = std::size_t{1} << 20;

// As a shim's hooks do it.
static Thread started(std::function<void()> work)
{
    if (xxthread_created_flag == 0)
        xxthread_created_flag = 1;
    return Thread([work] {
        xxthread_init();
        work();
        xxthread_cleanup();
    });
}

static void in_a_thread(std::function<void()> work)
{
    started(work).join();
}

static Blocks allocated(std::size_t count, std::size_t size)
{
    Blocks blocks(count);
    for (void *&block : blocks) {
        block = xxmalloc(size);
        std::memset(block, 1, size);
    }
    return blocks;
}

static void freed(const Blocks &blocks)
{
    for (void *block : blocks)
        xxfree(block);
}

// Where an allocator keeps what a thread frees for that thread alone, this grows by a round's memory each
// round (the paper's section 2.2).
static void a_producer_and_its_consumer_need_no_more_than_one_round()
{
    const std::size_t before = hoard::held;
    std::size_t most = 0;
    Mutex mutex;
    Condition changed;
    Blocks passed;
    constexpr int rounds = 200;
    Thread consumer = started([&] {
        for (int i = 0; i < rounds; i++) {
            mutex.lock();
            changed.wait(mutex, [&] { return !passed.empty(); });
            freed(passed);
            passed.clear();
            mutex.unlock();
            changed.notify_one();
        }
    });
    in_a_thread([&] {
        for (int i = 0; i < rounds; i++) {
            Blocks blocks = allocated(MiB / 64, 64); // a MiB
            mutex.lock();
            passed.swap(blocks);
            changed.notify_one();
            changed.wait(mutex, [&] { return passed.empty(); });
            most = std::max(most, hoard::held - before);
            mutex.unlock();
        }
    });
    consumer.join();
    CHECK(most < 4 * MiB, "%zu KiB for rounds of 1 MiB", most >> 10);
}

// Threads that take turns: what each needs at its time, all need together.
static void threads_that_take_turns_share_their_memory()
{
    const std::size_t before = hoard::held;
    std::size_t most = 0;
    for (int i = 0; i < 32; i++)
        in_a_thread([&] {
            freed(allocated(4 * MiB / 256, 256));
            most = std::max(most, hoard::held - before);
        });
    CHECK(most < 12 * MiB, "%zu KiB for 4 MiB at a time", most >> 10);
}

static void empty_superblocks_return_to_the_global_heap()
{
    in_a_thread([] { freed(allocated(2 * MiB / 1024, 1024)); });
    const std::size_t spare = heap.spare();
    CHECK(spare + 1 >= 2 * MiB / hoard::Superblock::size, "%zu", spare); // the thread's heap may keep one
    // Another thread, and another size, can have them.
    const std::size_t held = hoard::held;
    Blocks blocks;
    in_a_thread([&] { blocks = allocated(MiB / 4096, 4096); });
    CHECK(hoard::held == held, "%zu KiB more", (hoard::held - held) >> 10);
    CHECK(heap.spare() < spare, "%zu, then %zu", spare, heap.spare());
    freed(blocks);
}

// Beyond some spare ones they return to the system.
static void memory_returns_to_the_system()
{
    const std::size_t before = hoard::held;
    in_a_thread([] {
        freed(allocated(64 * MiB / 2048, 2048));
        freed(allocated(8, 8 * MiB));
    });
    CHECK(hoard::held < before + 8 * MiB, "%zu MiB more", (hoard::held - before) >> 20);
}

static std::set<std::uintptr_t> lines(const Blocks &blocks, std::size_t size)
{
    std::set<std::uintptr_t> lines;
    for (void *block : blocks) {
        const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(block);
        for (std::uintptr_t line = address / 64; line <= (address + size - 1) / 64; line++)
            lines.insert(line);
    }
    return lines;
}

static std::size_t shared(const Blocks &some, const Blocks &others, std::size_t size)
{
    const std::set<std::uintptr_t> theirs = lines(others, size);
    std::size_t count = 0;
    for (std::uintptr_t line : lines(some, size))
        count += theirs.count(line);
    return count;
}

// Actively: the allocator hands parts of a line to two threads.
static void no_line_is_handed_to_two_threads()
{
    for (std::size_t size : {8, 16, 24, 32, 48, 64, 100, 1000}) {
        constexpr std::size_t threads = 20; // more than there are heaps
        Blocks blocks[threads];
        std::vector<Thread> running;
        for (Blocks &own : blocks)
            running.push_back(started([&own, size] { own = allocated(500, size); }));
        for (Thread &thread : running)
            thread.join();
        for (std::size_t i = 0; i < threads; i++)
            for (std::size_t j = 0; j < i; j++)
                CHECK(shared(blocks[i], blocks[j], size) == 0, "%zu and %zu, of %zu bytes", i, j, size);
        for (const Blocks &own : blocks)
            freed(own);
    }
}

// Passively: a thread frees what another gave it, and gets the rest of a line that the other still uses.
static void no_line_is_shared_through_what_another_thread_frees()
{
    for (std::size_t size : {8, 16, 32}) {
        Blocks kept, passed;
        in_a_thread([&] {
            const Blocks all = allocated(2000, size);
            for (std::size_t i = 0; i < all.size(); i++)
                (i % 2 == 0 ? kept : passed).push_back(all[i]);
        });
        in_a_thread([&] {
            freed(passed);
            const Blocks own = allocated(4000, size);
            CHECK(shared(own, kept, size) == 0, "%zu lines, of %zu bytes", shared(own, kept, size), size);
            freed(own);
        });
        // Nor by a thread that has no buffer.
        Thread([&] {
            const Blocks own = allocated(100, size);
            CHECK(shared(own, kept, size) == 0 && lines(own, size).size() == 100, "of %zu bytes", size);
            freed(own);
        }).join();
        freed(kept);
    }
}

static void a_thread_may_allocate_and_free_after_its_cleanup()
{
    Blocks blocks;
    in_a_thread([&] {
        blocks = allocated(1000, 16);
        xxthread_cleanup();
        freed(blocks);
        blocks = allocated(1000, 16);
        xxthread_cleanup();
    });
    freed(blocks);
}

static void a_thread_without_a_buffer_gives_all_back()
{
    xxthread_created_flag = 0; // nobody hooks threads
    const std::size_t before = hoard::held;
    Thread([] {
        for (int i = 0; i < 200; i++)
            freed(allocated(1000, 16));
    }).join();
    for (int i = 0; i < 500; i++)
        Thread([] { freed(allocated(10, 1000)); }).join();
    CHECK(hoard::held < before + MiB, "%zu KiB more", (hoard::held - before) >> 10);
}

static void every_size_has_its_room()
{
    for (std::size_t size = 0; size < 70000; size += size < 2000 ? 1 : 331) {
        for (std::size_t alignment : {1, 32, 64, 256, 4096, 65536, 1 << 18, 1 << 20}) {
            char *block = static_cast<char *>(xxmemalign(alignment, size));
            CHECK(block != nullptr && reinterpret_cast<std::uintptr_t>(block) % alignment == 0, "%zu at %zu", size, alignment);
            CHECK(xxmalloc_usable_size(block) >= size, "%zu at %zu", size, alignment);
            std::memset(block, 2, xxmalloc_usable_size(block));
            xxfree(block);
        }
    }
}

// Blocks of other heaps come to free where nobody took their function over.
static void every_block_is_known_and_no_other_address_is()
{
    for (std::size_t size : {std::size_t{0}, std::size_t{16}, std::size_t{5000}, std::size_t{40000}, 3 * MiB}) {
        for (std::size_t alignment : {std::size_t{1}, std::size_t{4096}, hoard::span, 4 * MiB}) {
            char *block = static_cast<char *>(xxmemalign(alignment, size));
            CHECK(xxowns(block), "%zu at %zu", size, alignment);
            xxfree(block);
        }
    }
    char *big = static_cast<char *>(xxmalloc(40000)); // alone in its span, of which it has a quarter
    const char *behind = big + hoard::unit;
    CHECK(!xxowns(behind), "behind a mapping");
    xxfree(big);
    CHECK(!xxowns(big), "unmapped");
    int local = 0;
    void *other = std::malloc(MiB);
    CHECK(!xxowns(&local) && !xxowns(&heap) && !xxowns(other) && !xxowns(nullptr), "of somebody else");
    std::free(other);
    // A mapping that begins where the heap's ends.
    char *whole = hoard::map(2 * hoard::span, hoard::span);
    hoard::spans.enter(whole, hoard::span);
    CHECK(xxowns(whole + 1) && xxowns(whole + hoard::span - 1) && !xxowns(whole + hoard::span), "next to it");
    hoard::spans.leave(whole);
    hoard::unmap(whole, 2 * hoard::span);
}

int main()
{
    freed(allocated(1, 16)); // this thread is the first
#define TRY(name) \
    law = #name; \
    name()
    TRY(every_size_has_its_room);
    TRY(every_block_is_known_and_no_other_address_is);
    TRY(a_producer_and_its_consumer_need_no_more_than_one_round);
    TRY(threads_that_take_turns_share_their_memory);
    TRY(empty_superblocks_return_to_the_global_heap);
    TRY(memory_returns_to_the_system);
    TRY(no_line_is_handed_to_two_threads);
    TRY(no_line_is_shared_through_what_another_thread_frees);
    TRY(a_thread_may_allocate_and_free_after_its_cleanup);
    TRY(a_thread_without_a_buffer_gives_all_back);
    std::printf(broken ? "broken\n" : "10 laws hold\n");
    return broken;
}
