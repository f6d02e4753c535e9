/* Before each file of Detours, for compilers that are not Microsoft's: what it expects of that one. Structured
 * exceptions are lost: a fault while Detours looks at a function's code ends the program. */
#define _CRT_STDIO_ARBITRARY_WIDE_SPECIFIERS
#include <windows.h>
#include <limits.h>
#include <sal.h>
#include <strsafe.h>

#define _MSC_VER 1900
#define NOSEH
#define __try if (1)
#define __except(filter) else if (0)
