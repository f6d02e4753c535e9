/* client HOW LIBRARY [PLUG...]: what a program sees of the heap behind its C library.
 *
 * HOW says what must be found: `none`, no hooks; `imports`, the calls of modules; `code`, those inside the C
 * library too; `module`, those of this program alone, which carries the heap; with `late-` before it, the client
 * itself loads the library, while threads allocate.
 * Each check that fails is a line; the last line counts them, and without that line nothing is proved. */
#include <direct.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "counted_heap.h"

static unsigned checks, failures;
static int hooked, in_code, everywhere; /* what is to be seen */
static struct counters none, *counters = &none;
static _Bool (*has)(const void *ptr);

static void check(int holds, const char *law)
{
    checks++;
    if (!holds) {
        failures++;
        printf("FAIL %s\n", law);
    }
}
#define CHECK(condition) check((condition) != 0, #condition)

static int ours(const void *ptr)
{
    return has && has(ptr);
}

/* The library that is there, or that is loaded now. */
static void meet(const char *library)
{
    HMODULE module = LoadLibraryA(library);
    CHECK(module != NULL);
    if (!module)
        return;
    counters = (void *)GetProcAddress(module, "counted_heap_counters");
    has = (_Bool(*)(const void *))(void *)GetProcAddress(module, "counted_heap_has");
    CHECK(counters && has);
}

/* ---- single calls -------------------------------------------------------------------------------- */

static void allocations(void)
{
    char *block = malloc(100), *zeroed = calloc(10, 10), *copy = _strdup("a string");
    wchar_t *wide = _wcsdup(L"a wide one");
    CHECK(ours(block) == hooked && ours(zeroed) == hooked && ours(copy) == hooked && ours(wide) == hooked);
    CHECK(strcmp(copy, "a string") == 0 && wcscmp(wide, L"a wide one") == 0);
    for (int i = 0; i < 100; i++)
        CHECK(zeroed[i] == 0);
    strcpy(block, "keeps its content");
    CHECK(_msize(block) >= 100);
    block = realloc(block, 100000);
    CHECK(ours(block) == hooked && _msize(block) >= 100000 && strcmp(block, "keeps its content") == 0);
    CHECK(realloc(block, 0) == NULL);
    void *fresh = realloc(NULL, 10);
    CHECK(ours(fresh) == hooked);
    free(fresh), free(zeroed), free(copy), free(wide), free(NULL);

    long freed = counters->freed, allocated = counters->allocated;
    for (int i = 0; i < 1000; i++)
        free(malloc((size_t)i));
    CHECK(counters->allocated - allocated == (hooked ? 1000 : 0));
    CHECK(counters->freed - freed == (hooked ? 1000 : 0));
}

static void aligned(void)
{
    for (size_t alignment = 8; alignment <= 65536; alignment *= 2) {
        char *block = _aligned_malloc(100, alignment);
        CHECK((uintptr_t)block % alignment == 0);
        strcpy(block, "aligned");
        block = _aligned_realloc(block, 5000, alignment);
        CHECK((uintptr_t)block % alignment == 0 && strcmp(block, "aligned") == 0);
        _aligned_free(block);
        block = _aligned_offset_malloc(100, alignment, 4);
        CHECK(((uintptr_t)block + 4) % alignment == 0);
        _aligned_free(block);
    }
    void *block = _aligned_malloc(100, 64);
    CHECK(ours(block) == hooked);
    _aligned_free(block);
    block = _aligned_realloc(NULL, 100, 64);
    CHECK(ours(block) == hooked && (uintptr_t)block % 64 == 0);
    CHECK(_aligned_realloc(block, 0, 64) == NULL);
    _aligned_free(NULL);
}

static void failing(void)
{
    volatile size_t huge = SIZE_MAX / 2 + 1, many = SIZE_MAX / 8;
    errno = 0;
    CHECK(malloc(huge) == NULL && errno == ENOMEM);
    errno = 0;
    CHECK(calloc(many, 16) == NULL && errno == ENOMEM);
    char *block = strcpy(malloc(10), "still");
    errno = 0;
    CHECK(realloc(block, huge) == NULL && strcmp(block, "still") == 0);
    CHECK(errno == ENOMEM || !hooked); /* Wine's own says nothing */
    errno = EDOM;
    free(block);
    CHECK(errno == EDOM);
}

/* ---- what the C library allocates itself --------------------------------------------------------- */

static void inside(void)
{
    long foreign = counters->foreign;
    char *folder = _getcwd(NULL, 0);
    CHECK(ours(folder) == in_code);
    folder = realloc(folder, 2000);
    CHECK(folder[0] != '\0');
    free(folder);
    char *path = _fullpath(NULL, "client.c", 0);
    CHECK(strstr(path, "client.c") != NULL && ours(path) == in_code);
    free(path);
    CHECK(!hooked || (counters->foreign != foreign) == !in_code);

    long allocated = counters->allocated;
    FILE *file = tmpfile();
    if (file) {
        fputs("a line\n", file);
        fclose(file);
    }
    CHECK(in_code || counters->allocated == allocated);
}

/* ---- plug-ins, and C libraries that come later --------------------------------------------------- */

static void plug_in(const char *file)
{
    HMODULE module = LoadLibraryA(file);
    CHECK(module != NULL);
    if (!module)
        return;
    void *(*early)(void) = (void *(*)(void))(void *)GetProcAddress(module, "plug_early");
    void *(*get)(size_t) = (void *(*)(size_t))(void *)GetProcAddress(module, "plug_malloc");
    void (*put)(void *) = (void (*)(void *))(void *)GetProcAddress(module, "plug_free");
    CHECK(ours(early()) == everywhere);
    void *block = get(100);
    CHECK(ours(block) == everywhere);
    put(block);
    put(early());
    if (everywhere) { /* one heap: whoever frees it */
        free(get(100));
        put(malloc(100));
    }
}

static void by_name(const char *library)
{
    HMODULE module = GetModuleHandleA(library);
    if (!module)
        return;
    void *(*get)(size_t) = (void *(*)(size_t))(void *)GetProcAddress(module, "malloc");
    void (*put)(void *) = (void (*)(void *))(void *)GetProcAddress(module, "free");
    void *block = get(100);
    CHECK(ours(block) == everywhere);
    put(block);
    const int is_wide = sizeof(void *) == 8;
    get = (void *(*)(size_t))(void *)GetProcAddress(module, is_wide ? "??2@YAPEAX_K@Z" : "??2@YAPAXI@Z");
    put = (void (*)(void *))(void *)GetProcAddress(module, is_wide ? "??3@YAXPEAX@Z" : "??3@YAXPAX@Z");
    if (get && put) {
        block = get(100);
        CHECK(ours(block) == everywhere);
        put(block);
    }
}

/* ---- threads ------------------------------------------------------------------------------------- */

static volatile LONG stop;
static volatile LONG broken;

static DWORD WINAPI work(LPVOID number)
{
    unsigned char *blocks[64] = {NULL};
    uint32_t state = (uint32_t)(uintptr_t)number * 7919 + 1;
    for (unsigned turn = 0; turn < 20000 || !stop; turn++) {
        state = state * 1664525 + 1013904223;
        unsigned char **block = &blocks[state >> 26];
        size_t size = state >> 8 & 1023;
        if (*block && **block != (unsigned char)(block - blocks))
            InterlockedIncrement(&broken);
        if (state & 0x800)
            *block = realloc(*block, size + 1);
        else
            free(*block), *block = malloc(size + 1);
        **block = (unsigned char)(block - blocks);
    }
    for (int i = 0; i < 64; i++)
        free(blocks[i]);
    return 0;
}

static void start(HANDLE *threads, int number)
{
    for (int i = 0; i < number; i++)
        threads[i] = CreateThread(NULL, 0, work, (LPVOID)(uintptr_t)(i + 1), 0, NULL);
}

static void end(HANDLE *threads, int number)
{
    stop = 1;
    WaitForMultipleObjects((DWORD)number, threads, TRUE, INFINITE);
    CHECK(broken == 0);
}

int main(int argc, char **argv)
{
    enum { THREADS = 4 };
    HANDLE threads[THREADS];
    if (argc < 3)
        return 2;
    setvbuf(stdout, NULL, _IONBF, 0); /* what was said is there, however this ends */
    const char *how = argv[1], *library = argv[2];
    int late = strncmp(how, "late-", 5) == 0;
    how += late ? 5 : 0;
    hooked = strcmp(how, "none") != 0;
    in_code = strcmp(how, "code") == 0;
    everywhere = hooked && strcmp(how, "module") != 0;

    char *before = strcpy(malloc(100), "from before"), *other = strcpy(malloc(100), "another");
    if (late)
        start(threads, THREADS);
    if (hooked)
        meet(library);
    CHECK(!late || !ours(before));
    CHECK(late || ours(before) == hooked);
    before = realloc(before, 5000);
    CHECK(strcmp(before, "from before") == 0 && strcmp(other, "another") == 0);
    free(before), free(other);
    CHECK(!late || counters->foreign >= 2);
    if (!late)
        start(threads, THREADS);
    end(threads, THREADS);
    CHECK(!late || counters->foreign < 3 * 64 * THREADS);

    allocations();
    aligned();
    failing();
    inside();
    for (int i = 3; i < argc; i++)
        plug_in(argv[i]);
    by_name("msvcrt.dll");
    by_name("ucrtbase.dll");
    printf("client: %u checks, %u failed, allocated %ld, resized %ld, freed %ld, foreign %ld\n", checks, failures,
           counters->allocated, counters->resized, counters->freed, counters->foreign);
    return failures != 0;
}
