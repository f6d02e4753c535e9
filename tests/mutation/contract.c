/* Calls the functions of a heap by their public names and judges what comes back. Prints a line for
 * each that is not what its name promises, and ends with their number.
 * For: shims that were damaged on purpose. The heap exports exact_owns. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { page = 4096 };

static int broken;
static _Bool (*owns)(const void *ptr);

static void check(int holds, const char *name, const char *law)
{
    if (!holds) {
        broken++;
        printf("%s: %s\n", name, law);
    }
}

static int aligned(const void *ptr, size_t alignment)
{
    return ((uintptr_t)ptr & (alignment - 1)) == 0;
}

/* Names that this machine's C library may not have: asked for at run time, as plug-ins do. */
static void *find(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

static void hands_out_small_blocks(const char *name)
{
    void *(*allocate)(size_t) = __extension__(void *(*)(size_t))find(name);
    int pages = 0;
    for (int i = 0; i < 64; i++) {
        void *ptr = allocate(24);
        check(ptr != NULL && owns(ptr), name, "hands out this heap's blocks");
        pages += aligned(ptr, page);
    }
    check(pages < 32, name, "packs small blocks");
}

static void hands_out_pages(const char *name, int whole)
{
    void *(*allocate)(size_t) = __extension__(void *(*)(size_t))find(name);
    void *ptr = allocate(page + 1);
    check(ptr != NULL && owns(ptr), name, "hands out this heap's blocks");
    check(aligned(ptr, page), name, "begins at a page");
    if (whole) {
        check(malloc_usable_size(ptr) >= 2 * page, name, "hands out whole pages");
        check(allocate(SIZE_MAX - 64) == NULL, name, "refuses what would wrap");
    } else {
        check(malloc_usable_size(ptr) < 2 * page, name, "hands out no more than it must");
    }
}

static void aligns(const char *name, int rounds)
{
    void *(*allocate)(size_t, size_t) = __extension__(void *(*)(size_t, size_t))find(name);
    for (size_t alignment = 16; alignment <= 8 * page; alignment *= 2) {
        void *ptr = allocate(alignment, 24);
        check(ptr != NULL && owns(ptr), name, "hands out this heap's blocks");
        check(aligned(ptr, alignment), name, "aligns");
    }
    void *odd = allocate(48, 24);
    check(rounds ? odd != NULL && aligned(odd, 64) : odd == NULL && errno == EINVAL, name,
        "does with an odd alignment what the platform says");
}

/* The heap hands out the block that was freed last: so it came back. */
static void *probe(void)
{
    return malloc(200);
}

static void takes_back(const char *name)
{
    void *ptr = probe();
    void *function = find(name);
    if (strcmp(name, "free_sized") == 0)
        (__extension__(void (*)(void *, size_t))function)(ptr, 200);
    else if (strcmp(name, "free_aligned_sized") == 0)
        (__extension__(void (*)(void *, size_t, size_t))function)(ptr, 16, 200);
    else
        (__extension__(void (*)(void *))function)(ptr);
    void *again = probe();
    check(again == ptr, name, "takes a block back");
    free(again);
}

static void tells_the_size(void)
{
    void *ptr = malloc(100);
    size_t size = malloc_usable_size(ptr);
    check(size >= 100 && size < 4 * 100, "malloc_usable_size", "tells the size");
    check(malloc_usable_size(NULL) == 0, "malloc_usable_size", "tells 0 for NULL");
}

static void clears_and_resizes(const char *clear, const char *resize)
{
    void *(*clearing)(size_t, size_t) = __extension__(void *(*)(size_t, size_t))find(clear);
    void *(*resizing)(void *, size_t) = __extension__(void *(*)(void *, size_t))find(resize);
    memset(probe(), 255, 200);
    unsigned char *ptr = clearing(10, 20);
    check(ptr != NULL && owns(ptr) && ptr[0] == 0 && ptr[199] == 0, clear, "clears");
    check(clearing(SIZE_MAX / 2, 3) == NULL, clear, "refuses what would wrap");
    ptr[199] = 7;
    ptr = resizing(ptr, 20000);
    check(ptr != NULL && owns(ptr) && ptr[199] == 7, resize, "keeps the content");
}

static void leaves_memptr_alone(void)
{
    void *ptr = &ptr;
    int error = posix_memalign(&ptr, 3, 10);
    check(error == EINVAL && ptr == &ptr, "posix_memalign", "leaves *memptr alone");
    error = posix_memalign(&ptr, 256, 10);
    check(error == 0 && owns(ptr) && aligned(ptr, 256), "posix_memalign", "aligns");
}

/* The C library's own heap is not empty: what it says of itself is not what ours says. */
static void tells_of_this_heap_alone(void)
{
    void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
    void *(*theirs)(size_t) = __extension__(void *(*)(size_t))dlsym(libc, "malloc");
    volatile char *used = theirs(100000);
    used[0] = 1;
    check(mallopt(M_MMAP_THRESHOLD, 65536) == 0, "mallopt", "sets nothing");
    check(malloc_trim(0) == 0, "malloc_trim", "returns nothing");
    check(mallinfo().arena == 0, "mallinfo", "tells of no other heap");
    check(mallinfo2().arena == 0, "mallinfo2", "tells of no other heap");
    errno = 0;
    check(malloc_info(0, stdout) == -1 && errno == ENOSYS, "malloc_info", "says that it cannot");
    struct mallinfo (*info)(void) = __extension__(struct mallinfo(*)(void))find("__libc_mallinfo");
    check(info().arena == 0, "__libc_mallinfo", "tells of no other heap");
    int (*option)(int, int) = __extension__(int (*)(int, int))find("__libc_mallopt");
    check(option(M_MMAP_THRESHOLD, 65536) == 0, "__libc_mallopt", "sets nothing");
    int ends[2];
    char text[200] = "";
    int kept = dup(2);
    if (pipe(ends) == 0 && dup2(ends[1], 2) == 2) {
        malloc_stats();
        dup2(kept, 2);
        if (read(ends[0], text, sizeof text - 1) < 0)
            text[0] = 0;
    }
    check(strstr(text, "exact") != NULL, "malloc_stats", "names the heap");
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    owns = __extension__(_Bool (*)(const void *))find("exact_owns");
    if (owns == NULL) {
        puts("exact_owns: no such heap here");
        return 1;
    }
    /* As programs are linked: each with the version that this C library gave it. */
    void *direct[] = { malloc(24), calloc(1, 24), aligned_alloc(16, 24), memalign(16, 24), valloc(24), pvalloc(24) };
    for (size_t i = 0; i < sizeof direct / sizeof *direct; i++)
        check(owns(direct[i]), "a call by version", "reaches this heap");
    check(owns(realloc(NULL, 24)), "a call by version", "reaches this heap");
    hands_out_small_blocks("malloc");
    hands_out_small_blocks("__libc_malloc");
    hands_out_pages("valloc", 0);
    hands_out_pages("__libc_valloc", 0);
    hands_out_pages("pvalloc", 1);
    hands_out_pages("__libc_pvalloc", 1);
    aligns("memalign", 1);
    aligns("__libc_memalign", 1);
    aligns("aligned_alloc", 0);
    takes_back("free");
    takes_back("cfree");
    takes_back("__libc_free");
    takes_back("free_sized");
    takes_back("free_aligned_sized");
    takes_back("_ZdlPv");
    tells_the_size();
    clears_and_resizes("calloc", "realloc");
    clears_and_resizes("__libc_calloc", "__libc_realloc");
    leaves_memptr_alone();
    tells_of_this_heap_alone();
    return broken != 0;
}
