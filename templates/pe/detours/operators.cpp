/* The heap of Detours' own few blocks. */
#include <windows.h>

void *operator new(size_t size)
{
    return HeapAlloc(GetProcessHeap(), 0, size);
}

void operator delete(void *ptr, size_t size) noexcept
{
    (void)size;
    HeapFree(GetProcessHeap(), 0, ptr);
}
