/* A heap that answers at once: whatever else a call costs is the shim's. */
#include <stddef.h>

static _Alignas(4096) char block[4096];

void *still_malloc(size_t size)
{
    (void)size;
    return block;
}

void *still_calloc(size_t nmemb, size_t size)
{
    (void)nmemb;
    (void)size;
    return block;
}

void *still_realloc(void *ptr, size_t size)
{
    (void)ptr;
    (void)size;
    return block;
}

void *still_memalign(size_t alignment, size_t size)
{
    (void)alignment;
    (void)size;
    return block;
}

size_t still_malloc_usable_size(void *ptr)
{
    (void)ptr;
    return sizeof block;
}

void still_free(void *ptr)
{
    (void)ptr;
}

void still_free_sized(void *ptr, size_t size)
{
    (void)ptr;
    (void)size;
}

void still_free_aligned_sized(void *ptr, size_t alignment, size_t size)
{
    (void)ptr;
    (void)alignment;
    (void)size;
}

void *still_swapped(size_t size, size_t alignment)
{
    (void)size;
    (void)alignment;
    return block;
}

void *still_numbered(size_t number, size_t size)
{
    (void)number;
    (void)size;
    return block;
}

_Bool still_owns(const void *ptr)
{
    (void)ptr;
    return 1;
}

void still_thread_init(void)
{
}
