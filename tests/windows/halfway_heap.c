/* A part of a heap that calls the C library, and in the place of Windows' own a VirtualProtect that fails once: the
 * call whose number is in the variable HALFWAY of the environment. */
#include <stdbool.h>
#include <stdlib.h>
#include <windows.h>

bool simple_heap_owns(const void *ptr);

static BOOL WINAPI failing(LPVOID address, SIZE_T size, DWORD protection, DWORD *old)
{
    static BOOL (*WINAPI own)(LPVOID, SIZE_T, DWORD, DWORD *);
    static int left;
    if (!own) {
        char text[8] = "0";
        own = (void *)GetProcAddress(GetModuleHandleA("kernel32.dll"), "VirtualProtect");
        GetEnvironmentVariableA("HALFWAY", text, sizeof text);
        left = atoi(text);
    }
    if (left-- == 1) {
        SetLastError(ERROR_INVALID_ADDRESS);
        return FALSE;
    }
    return own(address, size, protection, old);
}

#ifdef __i386__
void *_imp__VirtualProtect = (void *)failing;
#else
void *__imp_VirtualProtect = (void *)failing;
#endif

/* Blocks of the C library's own, in its own way. */
__declspec(dllexport) int halfway_calls(void)
{
    char *block = malloc(100), *zeroed = calloc(10, 10);
    int theirs = !simple_heap_owns(block) && !simple_heap_owns(zeroed);
    block = realloc(block, 1000);
    theirs = theirs && !simple_heap_owns(block) && zeroed[99] == 0;
    free(block), free(zeroed);
    return theirs;
}
