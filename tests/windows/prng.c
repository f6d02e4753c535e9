/* What Rust's library asks of Windows for its hash tables, and Wine 8 has not. */
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID to, ULONG size);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE to, SIZE_T size)
{
    return SystemFunction036(to, (ULONG)size);
}
