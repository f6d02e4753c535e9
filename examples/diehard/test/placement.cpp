// What DieHard owes to programs with mistakes in them, by the paper's own formulas. Seeds are fixed: every
// run sees the same.
#include "../diehard.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>
#ifndef _WIN32
#include <sys/wait.h>
#endif

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

constexpr std::size_t slot = 64, slots = diehard::chunk_size / slot; // of the first region
static DieHard heap;

struct Block {
    std::uint64_t mark;
    unsigned char rest[slot - sizeof(std::uint64_t)];
};

static std::vector<Block *> filled(std::size_t count)
{
    std::vector<Block *> blocks(count);
    for (std::size_t i = 0; i < count; i++) {
        blocks[i] = static_cast<Block *>(heap.malloc(slot));
        blocks[i]->mark = i;
    }
    return blocks;
}

static void emptied(const std::vector<Block *> &blocks)
{
    for (Block *block : blocks)
        heap.free(block);
}

static std::size_t place(const void *block)
{
    return reinterpret_cast<std::uintptr_t>(block) % diehard::chunk_size / slot;
}

// From one address nothing follows for the next: the steps between them have all of the entropy that
// there can be. (A free list has none: it hands the same block out again.)
static void consecutive_addresses_have_full_entropy()
{
    constexpr int count = 1 << 18;
    std::vector<int> steps(slots);
    std::size_t last = 0;
    for (int i = 0; i < count; i++) {
        void *block = heap.malloc(slot);
        steps[(place(block) - last) % slots]++;
        last = place(block);
        heap.free(block);
    }
    double entropy = 0;
    for (int times : steps)
        if (times != 0)
            entropy -= times * std::log2(static_cast<double>(times) / count) / count;
    CHECK(heap.slots(slot) == slots, "%zu", heap.slots(slot));
    CHECK(entropy > std::log2(slots) - 0.01, "%f of %f bits", entropy, std::log2(slots));
}

// Section 6.1: an overflow of O objects hits no live one with probability (F/H)^O, where F of H slots
// are free.
static void an_overflow_is_masked_as_often_as_the_paper_says()
{
    for (std::size_t live : {slots / 8, slots / 4, slots / 2}) {
        for (std::size_t objects : {1, 2, 3}) {
            int tried = 0, masked = 0;
            for (int round = 0; round < 100; round++) {
                const std::vector<Block *> blocks = filled(live);
                for (Block *block : blocks) {
                    if (place(block) + objects >= slots)
                        continue; // would run out of the region
                    std::vector<unsigned char> before(objects * slot);
                    unsigned char *behind = reinterpret_cast<unsigned char *>(block + 1);
                    std::copy_n(behind, before.size(), before.begin());
                    std::memset(behind, 0xff, before.size());
                    bool hit = false;
                    for (std::size_t i = 0; i < live; i++)
                        hit |= blocks[i]->mark != i;
                    std::copy(before.begin(), before.end(), behind);
                    tried++;
                    masked += !hit;
                }
                emptied(blocks);
            }
            const double free = static_cast<double>(slots - live) / slots;
            const double wanted = std::pow(free, objects), seen = static_cast<double>(masked) / tried;
            CHECK(std::fabs(wanted - seen) < 0.015, "%zu of %zu slots live, %zu objects over: %f, not %f", live,
                slots, objects, seen, wanted);
        }
    }
}

// Section 6.2: what was freed too early is intact after A more allocations with probability 1 - A/F at least.
static void a_dangling_block_lasts_as_long_as_the_paper_says()
{
    constexpr std::size_t live = slots / 4, later = slots / 8;
    int intact = 0;
    constexpr int rounds = 4000;
    for (int round = 0; round < rounds; round++) {
        std::vector<Block *> blocks = filled(live);
        Block *early = blocks.back();
        blocks.pop_back();
        heap.free(early);
        for (std::size_t i = 0; i < later; i++)
            blocks.push_back(static_cast<Block *>(heap.malloc(slot)));
        intact += std::find(blocks.begin(), blocks.end(), early) == blocks.end();
        emptied(blocks);
    }
    const double wanted = 1 - static_cast<double>(later) / (slots - live + 1);
    const double seen = static_cast<double>(intact) / rounds;
    CHECK(seen > wanted - 0.02, "%f, not %f", seen, wanted);
}

static void wrong_frees_are_ignored()
{
    const std::vector<Block *> blocks = filled(100);
    void *large = heap.malloc(1 << 20);
    int local = 0;
    for (Block *block : blocks) {
        heap.free(reinterpret_cast<char *>(block) + 8); // inside a block
        heap.free(reinterpret_cast<char *>(block) + slot / 2);
    }
    heap.free(&local);
    heap.free(static_cast<char *>(large) + 4096);
    heap.free(reinterpret_cast<void *>(std::uintptr_t{4096}));
    heap.free(reinterpret_cast<void *>(~std::uintptr_t{0}));
    for (std::size_t i = 0; i < blocks.size(); i++)
        CHECK(heap.is_block(blocks[i]) && blocks[i]->mark == i, "block %zu", i);
    CHECK(heap.is_block(large) && heap.getSize(large) == 1 << 20, "%zu", heap.getSize(large));
    CHECK(heap.getSize(&local) == 0 && heap.realloc(&local, 100) == nullptr, "a local variable");

    // Twice: the second says nothing, and no block is handed out twice.
    heap.free(large);
    heap.free(large);
    emptied(blocks);
    emptied(blocks);
    std::vector<Block *> again = filled(slots / 2);
    std::sort(again.begin(), again.end());
    CHECK(std::adjacent_find(again.begin(), again.end()) == again.end(), "two blocks at one address");
    CHECK(heap.slots(slot) == slots, "%zu", heap.slots(slot));
    emptied(again);
}

// A program that writes over all that it can reach from its blocks does not reach the heap's own notes.
static void nothing_of_the_heap_lies_among_blocks()
{
    const std::vector<Block *> blocks = filled(slots / 2);
    const std::uintptr_t start = reinterpret_cast<std::uintptr_t>(blocks[0]) & ~(diehard::chunk_size - 1);
    std::memset(reinterpret_cast<void *>(start), 0xff, diehard::chunk_size);
    emptied(blocks);
    std::vector<Block *> again = filled(slots / 2);
    std::sort(again.begin(), again.end());
    CHECK(std::adjacent_find(again.begin(), again.end()) == again.end(), "two blocks at one address");
    emptied(again);
}

static void half_of_the_slots_stay_free()
{
    std::vector<void *> blocks;
    for (std::size_t size : {std::size_t{16}, std::size_t{1000}, std::size_t{32768}}) {
        for (std::size_t i = 1; i <= 3000; i++) {
            blocks.push_back(heap.malloc(size));
            CHECK(heap.slots(size) >= 2 * i, "%zu blocks of %zu in %zu slots", i, size, heap.slots(size));
        }
    }
    for (void *block : blocks)
        heap.free(block);
}

static void blocks_of_no_bytes_are_blocks()
{
    for (std::size_t alignment : {std::size_t{16}, std::size_t{4096}, std::size_t{1} << 20}) {
        void *one = heap.memalign(alignment, 0), *other = heap.memalign(alignment, 0);
        CHECK(one != nullptr && other != nullptr && one != other, "%p %p", one, other);
        CHECK(reinterpret_cast<std::uintptr_t>(one) % alignment == 0, "%p at %zu", one, alignment);
        heap.free(one);
        heap.free(other);
    }
}

#ifndef _WIN32
// One overflow must not be as good in the child as in the parent that was spied on.
static void a_child_of_fork_places_blocks_elsewhere()
{
    int ends[2];
    CHECK(pipe(ends) == 0, "no pipe");
    heap.lock();
    const pid_t child = fork();
    child == 0 ? heap.reinit() : heap.unlock();
    void *blocks[16];
    for (void *&block : blocks)
        block = heap.malloc(slot);
    if (child == 0)
        _exit(write(ends[1], blocks, sizeof blocks) != sizeof blocks);
    void *theirs[16];
    int status = 0;
    CHECK(read(ends[0], theirs, sizeof theirs) == sizeof theirs, "the child wrote nothing");
    CHECK(waitpid(child, &status, 0) == child && status == 0, "%d", status);
    CHECK(std::memcmp(blocks, theirs, sizeof blocks) != 0, "the same places");
    for (void *block : blocks)
        heap.free(block);
}
#endif

// Blocks of other heaps come to free where nobody took their function over.
static void every_block_is_known_and_no_other_address_is()
{
    for (std::size_t size : {std::size_t{0}, std::size_t{16}, std::size_t{32768}, std::size_t{40000}, std::size_t{1} << 22}) {
        char *block = static_cast<char *>(heap.malloc(size));
        CHECK(heap.owns(block) && heap.is_block(block) && heap.owns(block + 1), "%zu", size);
        heap.free(block);
        CHECK(heap.owns(block) == (size <= 32768) && !heap.is_block(block), "%zu, freed", size);
    }
    int local = 0;
    char *other = static_cast<char *>(std::malloc(1 << 20));
    CHECK(!heap.owns(&local) && !heap.owns(&heap) && !heap.owns(other) && !heap.owns(nullptr), "of somebody else");
    std::free(other);
    // What lies behind a large block's pages is nobody else's for the rest of its chunk.
    void *large = heap.malloc(40000);
    std::vector<char *> mapped;
    for (int i = 0; i < 100; i++)
        mapped.push_back(diehard::map(4096));
    for (char *page : mapped) {
        CHECK(!heap.owns(page), "a page of its own at %p, a block at %p", static_cast<void *>(page), large);
        diehard::unmap(page, 4096);
    }
    heap.free(large);
}

int main()
{
    heap.seed(2006);
#define TRY(name) \
    law = #name; \
    name()
    TRY(consecutive_addresses_have_full_entropy);
    TRY(an_overflow_is_masked_as_often_as_the_paper_says);
    TRY(a_dangling_block_lasts_as_long_as_the_paper_says);
    TRY(wrong_frees_are_ignored);
    TRY(nothing_of_the_heap_lies_among_blocks);
    TRY(half_of_the_slots_stay_free);
    TRY(blocks_of_no_bytes_are_blocks);
    TRY(every_block_is_known_and_no_other_address_is);
#ifdef _WIN32
    std::printf(broken ? "broken\n" : "8 laws hold\n");
#else
    TRY(a_child_of_fork_places_blocks_elsewhere);
    std::printf(broken ? "broken\n" : "9 laws hold\n");
#endif
    return broken;
}
