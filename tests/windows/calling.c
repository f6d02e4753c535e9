/* calling LIBRARY HOW: a program under a heap that calls a C library itself (calling_heap.c). `code`: what the C library
 * allocates for this program is the heap's; `imports`: what the program itself does. */
#include <direct.h>
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

static _Bool (*has)(const void *ptr);
static volatile LONG stop, lost;

/* What another thread asks for meanwhile is its own. */
static DWORD WINAPI work(LPVOID unused)
{
    (void)unused;
    while (!stop) {
        char *copy = _strdup("a string");
        if (!has(copy))
            InterlockedIncrement(&lost);
        free(copy);
    }
    return 0;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc != 3)
        return 2;
    int in_code = strcmp(argv[2], "code") == 0;
    HMODULE module = LoadLibraryA(argv[1]);
    CHECK(module != NULL);
    if (!module)
        return 1;
    volatile long *wrong = (volatile long *)(void *)GetProcAddress(module, "calling_heap_wrong");
    volatile long *again = (volatile long *)(void *)GetProcAddress(module, "calling_heap_again");
    volatile long *within = (volatile long *)(void *)GetProcAddress(module, "calling_heap_within");
    void (*calls)(void) = (void (*)(void))(void *)GetProcAddress(module, "calling_heap_calls");
    has = (_Bool(*)(const void *))(void *)GetProcAddress(module, "calling_heap_has");
    CHECK(*wrong == 0);
    calls();
    CHECK(*wrong == 0);
    long before = *within;
    void *block = malloc(100);
    CHECK(has(block) && *within == before + 1 && *wrong == 0);
    CHECK(*again == 0);
    free(block);
    char *copy = _strdup("a string"), *folder = _getcwd(NULL, 0);
    CHECK(has(copy) && has(folder) == in_code);
    free(copy), free(folder);
    HANDLE thread = CreateThread(NULL, 0, work, NULL, 0, NULL);
    for (int i = 0; i < 50; i++)
        calls();
    SetLastError(7);
    calls();
    block = malloc(100);
    CHECK(has(block));
    free(block);
    stop = 1;
    WaitForSingleObject(thread, INFINITE);
    CHECK(lost == 0 && *wrong == 0);
    printf("client: %u checks, %u failed, within %ld\n%s", checks, failures, *within,
           (const char *)(void *)GetProcAddress(module, "alloc8_report"));
    return failures != 0;
}
