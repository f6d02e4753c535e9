// Blocks may be resized and freed by another thread than that which allocated them (UCRT _beginthreadex; C11 7.22.3).
//@ symbols = ["_msize"]
//@ standard = true
#include "law.h"

#include <process.h>

__declspec(dllimport) unsigned long __stdcall WaitForSingleObject(void *object, unsigned long milliseconds);
__declspec(dllimport) int __stdcall CloseHandle(void *object);

enum { threads = 4, slots = 64, rounds = 20000 };

/* Each slot is taken by one thread at a time: it lies in nobody's hands, or in one's. */
static void *slot[slots];

static unsigned __stdcall work(void *seed)
{
    unsigned state = (unsigned)(uintptr_t)seed * 7919 + 1;
    for (unsigned round = 0; round < rounds; round++) {
        unsigned at = law_random(&state) % slots;
        size_t size = sizeof(size_t) + law_random(&state) % 2000;
        size_t *block = __atomic_exchange_n(&slot[at], NULL, __ATOMIC_ACQ_REL);
        if (block != NULL) {
            CHECK(law_intact(block + 1, *block - sizeof *block, 5) == *block - sizeof *block, "another thread's block to be intact; saw other bytes");
        }
        if (block == NULL || round % 3 != 0) {
            free(block);
            block = OPAQUE((size_t *)malloc(size));
        } else {
            block = OPAQUE((size_t *)realloc(block, size));
        }
        CHECK(block != NULL, "a block of %zu bytes to be had; saw NULL", size);
        *block = size;
        law_fill(block + 1, size - sizeof *block, 5);
        free(__atomic_exchange_n(&slot[at], block, __ATOMIC_ACQ_REL));
    }
    return 0;
}

int main(void)
{
    void *thread[threads];
    for (uintptr_t i = 0; i < threads; i++) {
        thread[i] = (void *)_beginthreadex(NULL, 0, work, (void *)(i + 1), 0, NULL);
        CHECK(thread[i] != NULL, "_beginthreadex() to make a thread; saw it fail");
    }
    for (int i = 0; i < threads; i++) {
        WaitForSingleObject(thread[i], 0xFFFFFFFF);
        CloseHandle(thread[i]);
    }
    for (int i = 0; i < slots; i++) {
        free(slot[i]);
    }
    return 0;
}
