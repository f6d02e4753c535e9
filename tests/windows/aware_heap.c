/* simple_heap, which counts what it is told of threads: who is introduced, who is seen off, and what comes
 * before and after. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <windows.h>

#include "aware_heap.h"

void *simple_heap_malloc(size_t size);
void simple_heap_free(void *ptr);
void *simple_heap_calloc(size_t nmemb, size_t size);
void *simple_heap_realloc(void *ptr, size_t size);
void *simple_heap_memalign(size_t alignment, size_t size);
size_t simple_heap_malloc_usable_size(void *ptr);
bool simple_heap_owns(const void *ptr);

enum { NEW, INTRODUCED, SEEN_OFF };

volatile int aware_thread_created;
static unsigned counts[AWARE_COUNTS];
static volatile LONG slot; /* and one: 0 is none */

static void count(int what)
{
    __atomic_fetch_add(&counts[what], 1, __ATOMIC_RELAXED);
}

__declspec(dllexport) unsigned aware_count(int what)
{
    return what == AWARE_CREATED ? (unsigned)aware_thread_created : __atomic_load_n(&counts[what], __ATOMIC_RELAXED);
}

/* Windows' own way to ask sets the last error, which is not to change by a call of the heap. */
static uintptr_t state(void)
{
    DWORD error = GetLastError();
    uintptr_t value = slot == 0 ? NEW : (uintptr_t)TlsGetValue((DWORD)slot - 1);
    SetLastError(error);
    return value;
}

static void set_state(uintptr_t value)
{
    if (slot == 0) {
        LONG made = (LONG)TlsAlloc() + 1;
        if (InterlockedCompareExchange(&slot, made, 0) != 0)
            TlsFree((DWORD)made - 1);
    }
    TlsSetValue((DWORD)slot - 1, (void *)value);
}

void aware_thread_init(void)
{
    if (state() == INTRODUCED)
        count(AWARE_OUT_OF_TURN);
    count(state() == SEEN_OFF ? AWARE_AGAIN : AWARE_INITS);
    set_state(INTRODUCED);
}

void aware_thread_cleanup(void)
{
    static const char text[] = "aware: a thread is seen off while the process ends\n";
    DWORD written;
    FARPROC ends = GetProcAddress(GetModuleHandleA("ntdll.dll"), "RtlDllShutdownInProgress");
    if (ends == NULL || ((BOOLEAN (WINAPI *)(void))(void *)ends)())
        WriteFile(GetStdHandle(STD_ERROR_HANDLE), text, sizeof text - 1, &written, NULL);
    if (state() != INTRODUCED)
        count(AWARE_OUT_OF_TURN);
    count(AWARE_CLEANUPS);
    set_state(SEEN_OFF);
}

static void look(void)
{
    if (state() != INTRODUCED)
        count(state() == NEW ? AWARE_STRANGERS : AWARE_AFTER);
}

void *aware_malloc(size_t size)
{
    look();
    return simple_heap_malloc(size);
}

void aware_free(void *ptr)
{
    look();
    simple_heap_free(ptr);
}

void *aware_calloc(size_t nmemb, size_t size)
{
    look();
    return simple_heap_calloc(nmemb, size);
}

void *aware_realloc(void *ptr, size_t size)
{
    look();
    return simple_heap_realloc(ptr, size);
}

void *aware_memalign(size_t alignment, size_t size)
{
    look();
    return simple_heap_memalign(alignment, size);
}

size_t aware_malloc_usable_size(void *ptr)
{
    look();
    return simple_heap_malloc_usable_size(ptr);
}

bool aware_owns(const void *ptr)
{
    look();
    return simple_heap_owns(ptr);
}
