/* halfway LIBRARY: loads a library one of whose calls of VirtualProtect fails (halfway_heap.c). Its hooks are there
 * or they are not, all of them: the last line says which. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

static unsigned checks, failures;

static void check(int holds, const char *law)
{
    checks++;
    if (!holds) {
        failures++;
        printf("FAIL %s\n", law);
    }
}
#define CHECK(condition) check((condition) != 0, #condition)

static const char *const names[] = {"malloc", "calloc", "realloc", "free", "_msize", "_strdup", "_aligned_malloc"};
enum { NAMES = sizeof names / sizeof *names, BYTES = 8 };

/* The first bytes of each function of the C library. */
static void look(unsigned char (*code)[BYTES])
{
    for (int i = 0; i < NAMES; i++)
        memcpy(code[i], (void *)GetProcAddress(GetModuleHandleA("msvcrt.dll"), names[i]), BYTES);
}

int main(int argc, char **argv)
{
    unsigned char before[NAMES][BYTES], after[NAMES][BYTES];
    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc != 2)
        return 2;
    look(before);
    HMODULE module = LoadLibraryA(argv[1]);
    CHECK(module != NULL);
    if (!module)
        return 1;
    const char *report = (const char *)(void *)GetProcAddress(module, "alloc8_report");
    _Bool (*has)(const void *) = (_Bool(*)(const void *))(void *)GetProcAddress(module, "counted_heap_has");
    int (*calls)(void) = (int (*)(void))(void *)GetProcAddress(module, "halfway_calls");
    int none = strstr(report, "left as it was") != NULL;
    void *block = malloc(100), *copy = _strdup("a string");
    CHECK(has(block) == !none && has(copy) == !none);
    free(block), free(copy);
    look(after);
    CHECK(!none || memcmp(before, after, sizeof before) == 0);
    CHECK(calls()); /* what the archive calls of the C library is that one's, hooks or no hooks */
    printf("client: %u checks, %u failed, hooked %d\n%s", checks, failures, !none, report);
    return failures != 0;
}
