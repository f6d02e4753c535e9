/* simple_heap, whose malloc calls the C library that it is linked with: what comes of that is that library's, whoever
 * calls, and never comes back to this heap. */
#include <direct.h>
#include <malloc.h>
#include <mbstring.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

void *simple_heap_malloc(size_t size);
bool simple_heap_owns(const void *ptr);

__declspec(dllexport) bool calling_heap_has(const void *ptr)
{
    return simple_heap_owns(ptr);
}

/* Blocks that came from this heap, and calls of malloc from within malloc. */
__declspec(dllexport) volatile long calling_heap_wrong, calling_heap_again, calling_heap_within;

static void theirs(const void *block)
{
    if (block == NULL || simple_heap_owns(block))
        InterlockedIncrement(&calling_heap_wrong);
}

static void ends(void *block)
{
    theirs(block);
    if (_msize(block) == (size_t)-1)
        InterlockedIncrement(&calling_heap_wrong);
    block = realloc(block, 3000);
    theirs(block);
    free(block);
}

static void ends_aligned(void *block)
{
    theirs(block);
    block = _aligned_realloc(block, 3000, 64);
    theirs(block);
    _aligned_free(block);
}

/* One of each that hands out blocks, and all that takes them. */
__declspec(dllexport) void calling_heap_calls(void)
{
    char here[MAX_PATH];
    ends(malloc(100));
    ends(calloc(10, 10));
    ends(realloc(NULL, 100));
    ends(_strdup("a string"));
    ends(_wcsdup(L"a wide one"));
    ends(_mbsdup((const unsigned char *)"another"));
    ends(_getcwd(NULL, 0));
    ends(_wgetcwd(NULL, 0));
    ends(_fullpath(NULL, "file", 0));
    ends(_tempnam("C:\\", "x"));
    ends_aligned(_aligned_malloc(100, 64));
    ends_aligned(_aligned_realloc(NULL, 100, 64));
    ends_aligned(_aligned_offset_malloc(100, 64, 0));
#ifdef _UCRT
    char *value = NULL;
    size_t length;
    _dupenv_s(&value, &length, "SystemRoot");
    ends(value);
    ends(_recalloc(NULL, 10, 10));
#endif
    if (_getcwd(here, sizeof here) != here)
        InterlockedIncrement(&calling_heap_wrong);
}

static char *early; /* from before the hooks */

__attribute__((constructor)) static void start(void)
{
    early = _strdup("from the start");
    calling_heap_calls();
}

void *calling_heap_malloc(size_t size)
{
    static volatile DWORD inside; /* the thread */
    if (inside == GetCurrentThreadId()) {
        InterlockedIncrement(&calling_heap_again);
    } else if (inside == 0) {
        inside = GetCurrentThreadId();
        InterlockedIncrement(&calling_heap_within);
        calling_heap_calls();
        if (early)
            ends(early);
        early = NULL;
        inside = 0;
    }
    return simple_heap_malloc(size);
}
