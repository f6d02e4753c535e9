// The paper's threadtest, with checks: threads allocate and free as fast as they can, and hand some of
// their blocks to each other. Run it under the library.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <malloc.h>

#include "threads.hpp"

#ifdef _WIN32
#define malloc_usable_size _msize
#endif

constexpr int threads = 8, rounds = 40, blocks = 5000;
static std::atomic<unsigned char *> mail[threads][64];
static std::atomic<long> freed{0}, wrong{0};

static unsigned char *made(unsigned &seed, int thread)
{
    seed = seed * 1664525 + 1013904223;
    const std::size_t size = 2 + (seed >> 16) % (seed >> 31 ? 64 : 2000);
    unsigned char *block = static_cast<unsigned char *>(std::malloc(size));
    std::memset(block, thread + 1, size);
    return block;
}

static void release(unsigned char *block)
{
    if (block == nullptr)
        return;
    const std::size_t usable = malloc_usable_size(block);
    // The first two bytes are the thread's, and the block is as large as was asked for.
    wrong += block[0] != block[1] || block[0] == 0 || block[0] > threads || usable < 2;
    block[0] = 0;
    freed++;
    std::free(block);
}

static void work(int thread)
{
    unsigned seed = static_cast<unsigned>(thread) * 7919 + 1;
    std::vector<unsigned char *> own(blocks);
    for (int round = 0; round < rounds; round++) {
        for (unsigned char *&block : own)
            block = made(seed, thread);
        for (int i = 0; i < blocks; i++) {
            if (i % 4 == 0) // another thread will free it
                own[i] = mail[(thread + i) % threads][i % 64].exchange(own[i]);
            release(own[i]);
        }
    }
}

int main()
{
    std::vector<Thread> running;
    for (int i = 0; i < threads; i++)
        running.emplace_back([i] { work(i); });
    for (Thread &thread : running)
        thread.join();
    for (auto &box : mail)
        for (auto &slot : box)
            release(slot.exchange(nullptr));
    std::printf("%ld blocks, %ld wrong\n", freed.load(), wrong.load());
    return wrong != 0;
}
