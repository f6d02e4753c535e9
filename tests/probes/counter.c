/* A heap that counts: every block comes from one array and bears a mark, so that a block of another
 * heap is known when it comes to be freed. It never gives memory back. Preloaded, it tells whether a
 * function of the C library takes its blocks from the public names. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define MARK UINT64_C(0xa110c8a110c8a110)
#define ROOM ((size_t)64 << 20)

struct header {
    uint64_t mark;
    size_t size;
};

static _Alignas(4096) unsigned char room[ROOM];
static size_t used;
static unsigned long allocated, freed, foreign;

/* What the program under test asks for by name. */
EXPORT void probe_counts(unsigned long *blocks, unsigned long *frees, unsigned long *strangers)
{
    *blocks = __atomic_load_n(&allocated, __ATOMIC_RELAXED);
    *frees = __atomic_load_n(&freed, __ATOMIC_RELAXED);
    *strangers = __atomic_load_n(&foreign, __ATOMIC_RELAXED);
}

/* The header of a block of ours, or NULL; a stranger is counted. */
static struct header *ours(void *ptr)
{
    uintptr_t address = (uintptr_t)ptr, start = (uintptr_t)room;
    if (address >= start + sizeof(struct header) && address < start + ROOM) {
        struct header *header = (struct header *)ptr - 1;
        if (header->mark == MARK)
            return header;
    }
    __atomic_add_fetch(&foreign, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void *take(size_t alignment, size_t size)
{
    if (alignment < 16)
        alignment = 16;
    if (size > ROOM / 2 || alignment > ROOM / 2) {
        errno = ENOMEM;
        return NULL;
    }
    size_t whole = (size + alignment + sizeof(struct header) + 15) & ~(size_t)15;
    size_t from = __atomic_fetch_add(&used, whole, __ATOMIC_RELAXED);
    if (from + whole > ROOM) {
        errno = ENOMEM;
        return NULL;
    }
    uintptr_t at = (uintptr_t)room + from + sizeof(struct header);
    at = (at + alignment - 1) & ~(uintptr_t)(alignment - 1);
    struct header *header = (struct header *)at - 1;
    header->mark = MARK;
    header->size = size;
    __atomic_add_fetch(&allocated, 1, __ATOMIC_RELAXED);
    return (void *)at;
}

EXPORT void *malloc(size_t size)
{
    return take(16, size);
}

EXPORT void *calloc(size_t nmemb, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(nmemb, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return take(16, total); /* the array has never been written to */
}

EXPORT void free(void *ptr)
{
    if (ptr != NULL && ours(ptr) != NULL)
        __atomic_add_fetch(&freed, 1, __ATOMIC_RELAXED);
}

EXPORT void *realloc(void *ptr, size_t size)
{
    struct header *header = ptr == NULL ? NULL : ours(ptr);
    void *moved = take(16, size);
    if (moved != NULL && header != NULL) {
        memcpy(moved, ptr, header->size < size ? header->size : size);
        __atomic_add_fetch(&freed, 1, __ATOMIC_RELAXED);
    }
    return moved;
}

EXPORT void *memalign(size_t alignment, size_t size)
{
    return take(alignment, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    return take(alignment, size);
}

EXPORT int posix_memalign(void **memptr, size_t alignment, size_t size)
{
    void *ptr = take(alignment, size);
    if (ptr == NULL)
        return ENOMEM;
    *memptr = ptr;
    return 0;
}

EXPORT void *valloc(size_t size)
{
    return take(4096, size);
}

EXPORT void *pvalloc(size_t size)
{
    return take(4096, (size + 4095) & ~(size_t)4095);
}

EXPORT size_t malloc_usable_size(void *ptr)
{
    struct header *header = ptr == NULL ? NULL : ours(ptr);
    return header == NULL ? 0 : header->size;
}
