/* A heap that hands out not a byte more than it is asked for, so that nothing a shim forgets is hidden
 * by its generosity. One thread, one list of freed blocks, the last one first. */
#include <stddef.h>
#include <stdint.h>

void *exact_malloc(size_t size);
void exact_free(void *ptr);
void *exact_memalign(size_t alignment, size_t size);
size_t exact_malloc_usable_size(void *ptr);
_Bool exact_owns(const void *ptr);

struct header {
    size_t size;
    struct header *next;
};

static _Alignas(65536) unsigned char arena[64 << 20];
static size_t used;
static struct header *freed;

_Bool exact_owns(const void *ptr)
{
    return (uintptr_t)ptr - (uintptr_t)arena < sizeof arena;
}

void *exact_memalign(size_t alignment, size_t size)
{
    struct header *head = freed;
    if (head != NULL && head->size == size && ((uintptr_t)(head + 1) & (alignment - 1)) == 0) {
        freed = head->next;
        return head + 1;
    }
    if (alignment < 16)
        alignment = 16;
    if (alignment > sizeof arena || size > sizeof arena)
        return NULL;
    size_t at = (used + sizeof *head + alignment - 1) & ~(alignment - 1);
    if (at + size > sizeof arena)
        return NULL;
    used = (at + size + 15) & ~(size_t)15;
    head = (struct header *)(void *)(arena + at) - 1;
    head->size = size;
    return head + 1;
}

void *exact_malloc(size_t size)
{
    return exact_memalign(16, size);
}

void exact_free(void *ptr)
{
    struct header *head = (struct header *)ptr - 1;
    head->next = freed;
    freed = head;
}

size_t exact_malloc_usable_size(void *ptr)
{
    return ((struct header *)ptr - 1)->size;
}
