/* Calls of the heap in a loop, among blocks that stay.
 *
 *   calls OPERATION COUNT       does so, and prints the nanoseconds per iteration
 *
 * With PREFIX, it calls an allocator's own functions through its PLT; else the public names. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#ifdef PREFIX
#define JOIN(a, b) a##b
#define PASTE(a, b) JOIN(a, b)
#define NAME(function) PASTE(PREFIX, function)
void *NAME(malloc)(size_t size);
void NAME(free)(void *ptr);
void *NAME(calloc)(size_t nmemb, size_t size);
void *NAME(realloc)(void *ptr, size_t size);
#define NEW NAME(malloc)
#define DELETE NAME(free)
#else
#define NAME(function) function
void *_Znwm(size_t size);
void _ZdlPv(void *ptr);
#define NEW _Znwm
#define DELETE _ZdlPv
#endif

/* Without them a heap is at its border all the time: it takes a page for each block and gives it back. */
enum { STAYING = 1000 };
static void *staying[STAYING];

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int words, char **word)
{
    if (words != 3)
        return 2;
    long count = atol(word[2]);
    for (int i = 0; i < STAYING; i++)
        staying[i] = NAME(malloc)(32);
    void *block = NAME(malloc)(32);
    double start = now();
    switch (*word[1]) {
    case '0':
        for (long i = 0; i < count; i++)
            NAME(free)(NAME(malloc)(32));
        break;
    case '1':
        for (long i = 0; i < count; i++)
            NAME(free)(NAME(calloc)(1, 32));
        break;
    case '2':
        for (long i = 0; i < count; i++)
            DELETE(NEW(32));
        break;
    case '3':
        for (long i = 0; i < count; i++) {
            block = NAME(realloc)(block, 24);
            block = NAME(realloc)(block, 32);
        }
        break;
    }
    printf("%.3f\n", (now() - start) / (double)count);
    NAME(free)(block);
    for (int i = 0; i < STAYING; i++)
        NAME(free)(staying[i]);
    return 0;
}
