// A program that defines the malloc family itself gets all calls, also libc's own for strdup() and its like: no block of another heap reaches its free() (glibc manual "Replacing malloc").
//@ repeat_builds = [["-O0"], ["-O2"], ["-O2", "-rdynamic"]]
//@ reaches_malloc = ["strdup", "strndup", "getcwd", "realpath", "asprintf", "open_memstream", "getline"]
#include "law.h"
#include <pthread.h>

/* A heap that never uses anything again: what it serves lies in one array. */
static _Alignas(4096) unsigned char heap[192 << 20];
static size_t used;
static int calls, frees;

static void foreign(const char *function, void *block)
{
    CHECK(0, "%s() of the program to get blocks of its own heap; saw %p", function, block);
}

static int is_ours(const void *block)
{
    return (uintptr_t)block >= (uintptr_t)heap && (uintptr_t)block < (uintptr_t)heap + sizeof heap;
}

static size_t *size_of(void *block)
{
    return (size_t *)block - 1;
}

__attribute__((noinline))
static void *take(size_t alignment, size_t size)
{
    __atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
    if (alignment < 16) {
        alignment = 16;
    }
    if (size > sizeof heap || alignment > 65536) {
        errno = ENOMEM;
        return NULL;
    }
    size_t room = alignment + 16 + (size + 15) / 16 * 16;
    size_t at = __atomic_fetch_add(&used, room, __ATOMIC_RELAXED);
    if (at + room > sizeof heap) {
        errno = ENOMEM;
        return NULL;
    }
    uintptr_t address = ((uintptr_t)heap + at + 16 + alignment - 1) / alignment * alignment;
    void *block = (void *)address;
    *size_of(block) = size;
    return OPAQUE(block);
}

void *malloc(size_t size)
{
    return take(16, size);
}

void free(void *block)
{
    if (block != NULL) {
        if (!is_ours(block)) {
            foreign("free", block);
        }
        __atomic_fetch_add(&frees, 1, __ATOMIC_RELAXED);
    }
}

void *calloc(size_t count, size_t size)
{
    size_t product;
    if (__builtin_mul_overflow(count, size, &product)) {
        errno = ENOMEM;
        return NULL;
    }
    return take(16, product);
}

void *realloc(void *old, size_t size)
{
    if (old == NULL) {
        return take(16, size);
    }
    if (!is_ours(old)) {
        foreign("realloc", old);
    }
    if (size == 0) {
        free(old);
        return NULL;
    }
    void *block = take(16, size);
    if (block != NULL) {
        memcpy(block, old, size < *size_of(old) ? size : *size_of(old));
    }
    return block;
}

void *memalign(size_t alignment, size_t size)
{
    return take(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return take(alignment, size);
}

int posix_memalign(void **result, size_t alignment, size_t size)
{
    void *block = take(alignment, size);
    if (block == NULL) {
        return ENOMEM;
    }
    *result = block;
    return 0;
}

void *valloc(size_t size)
{
    return take(4096, size);
}

void *pvalloc(size_t size)
{
    return take(4096, (size + 4095) / 4096 * 4096);
}

static void check(const char *name, void *block)
{
    CHECK(block != NULL, "%s to return a block; saw NULL", name);
    CHECK(is_ours(block), "%s to return a block of the program's heap; saw %p", name, block);
    block = OPAQUE(realloc(block, 300));
    CHECK(is_ours(block), "realloc() to return a block of the program's heap; saw %p", block);
    free(block);
}

static void *work(void *argument)
{
    for (size_t i = 0; i < 100; i++) {
        check("strdup() in a thread", OPAQUE(strdup(OPAQUE((const char *)argument))));
    }
    return NULL;
}

int main(void)
{
    for (int i = 0; i < 20; i++) {
        check("malloc()", OPAQUE(malloc(100)));
        check("calloc()", OPAQUE(calloc(10, 10)));
        check("memalign()", OPAQUE(memalign(64, 100)));
        check("aligned_alloc()", OPAQUE(aligned_alloc(64, 128)));
        check("valloc()", OPAQUE(valloc(10)));
        check("strdup()", OPAQUE(strdup(OPAQUE((const char *)"text"))));
        check("strndup()", OPAQUE(strndup(OPAQUE((const char *)"text"), 2)));
        check("getcwd()", OPAQUE(getcwd(NULL, 0)));
        check("realpath()", OPAQUE(realpath(OPAQUE((const char *)"/"), NULL)));
        char *text = NULL;
        CHECK(asprintf(&text, "%d and %s", i, "some text") > 0, "asprintf() to print; saw an error");
        check("asprintf()", OPAQUE(text));
        size_t size = 0;
        text = NULL;
        FILE *stream = open_memstream(&text, &size);
        CHECK(stream != NULL, "open_memstream() to succeed; saw NULL");
        fprintf(stream, "%1000d", i);
        fclose(stream);
        check("open_memstream()", OPAQUE(text));
        char line[] = "a line\nanother\n";
        stream = fmemopen(line, sizeof line - 1, "r");
        CHECK(stream != NULL, "fmemopen() to succeed; saw NULL");
        text = NULL;
        size = 0;
        CHECK(getline(&text, &size, stream) == 7, "getline() to read a line; saw another length");
        fclose(stream);
        check("getline()", OPAQUE(text));
        /* Derived from realloc(), whoever defines it: the program's own. */
        void *(*resize_array)(void *, size_t, size_t) = (void *(*)(void *, size_t, size_t))law_lookup("reallocarray");
        if (resize_array != NULL) {
            check("reallocarray(NULL, _, _)", OPAQUE(resize_array(NULL, 10, 10)));
            check("reallocarray(block, _, _)", OPAQUE(resize_array(OPAQUE(malloc(10)), 10, 10)));
        }
        pthread_t thread;
        char name[] = "a thread's text";
        CHECK(pthread_create(&thread, NULL, work, name) == 0, "a thread to start; saw an error");
        pthread_join(thread, NULL);
    }
    CHECK(OPAQUE(calls) > 20 * 20 && OPAQUE(frees) > 20 * 20, "the program's own functions to be called; saw %d and %d calls", calls, frees);
    return 0;
}
