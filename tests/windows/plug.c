/* A plug-in: it allocates when it is loaded, and hands out and takes back blocks of its C library. */
#include <stdlib.h>
#include <windows.h>

static void *early;

__declspec(dllexport) void *plug_early(void)
{
    return early;
}

__declspec(dllexport) void *plug_malloc(size_t size)
{
    return malloc(size);
}

__declspec(dllexport) void plug_free(void *ptr)
{
    free(ptr);
}

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved)
{
    (void)module, (void)reserved;
    if (reason == DLL_PROCESS_ATTACH)
        early = malloc(100);
    return TRUE;
}
