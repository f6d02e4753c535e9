/* What Rust's library asks of Windows for its hash tables, and Wine 8 has not. */
#include <stddef.h>
__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)i;
    return 1;
}
