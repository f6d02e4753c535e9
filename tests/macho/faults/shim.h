// A shim as it should be: tuples, and a zone that is registered and stands first. Each file here includes it;
// all but none.c and no_zone.c have one fault, and the harness has to notice.
//
// Nothing here is what alloc8-gen emits: it proves the harness, not the product.
#pragma once
#include "heap.h"

#ifndef ZONE_NAME
#define ZONE_NAME "control"
#endif

static struct zone the_zone;

static void *told(void *block) {
    if (!block) errno = ENOMEM;
    return block;
}

#ifndef MALLOC_LINKAGE
#define MALLOC_LINKAGE static
#endif
MALLOC_LINKAGE void *shim_malloc(size_t size) {
    return told(heap_memalign(LEAST, size));
}

static void *shim_calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) return told(NULL);
    void *block = shim_malloc(bytes);
    return block ? memset(block, 0, bytes) : NULL;
}

// A block of ours, or the system's answer: the image with the tuples reaches the original by its plain name.
static void shim_free(void *block) {
    if (block_size(block)) heap_free(block);
    else free(block);
}

static size_t shim_size(const void *block) {
    size_t size = block_size(block);
    return size ? size : malloc_size(block);
}

static void *shim_realloc(void *old, size_t size) {
    size_t was = old ? block_size(old) : 0;
    if (old && !was) return realloc(old, size);
    if (old && size && size <= was && size > was / 2) return old;
    void *block = shim_malloc(size);
    if (block && old) {
        memcpy(block, old, size < was ? size : was);
        heap_free(old);
    }
    return block;
}

static void *shim_reallocf(void *old, size_t size) {
    void *block = shim_realloc(old, size);
    if (!block && size) {
        shim_free(old);
        errno = ENOMEM;
    }
    return block;
}

static void *shim_reallocarray(void *old, size_t count, size_t size) {
    size_t bytes;
    return __builtin_mul_overflow(count, size, &bytes) ? told(NULL) : shim_realloc(old, bytes);
}

static void *shim_reallocarrayf(void *old, size_t count, size_t size) {
    size_t bytes;
    if (!__builtin_mul_overflow(count, size, &bytes)) return shim_reallocf(old, bytes);
    shim_free(old);
    return told(NULL);
}

static bool odd(size_t alignment) {
    return alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0;
}

static int shim_posix_memalign(void **result, size_t alignment, size_t size) {
    if (odd(alignment)) return EINVAL;
    void *block = heap_memalign(alignment, size);
    if (!block) return ENOMEM;
    *result = block;
    return 0;
}

static void *shim_aligned_alloc(size_t alignment, size_t size) {
    if (!odd(alignment) && size % alignment == 0) return told(heap_memalign(alignment, size));
    errno = EINVAL;
    return NULL;
}

static void *shim_valloc(size_t size) {
    return told(heap_memalign(vm_page_size, size));
}

#include "zone.h"

#define TUPLE(name, original) {(void *)(uintptr_t)(name), (void *)(uintptr_t)(original)},
#ifndef MORE_TUPLES
#define MORE_TUPLES
#endif
__attribute__((used, section("__DATA,__interpose"))) static const struct {
    void *replacement, *original;
} tuples[] = {
    TUPLE(shim_malloc, malloc) TUPLE(shim_calloc, calloc) TUPLE(shim_realloc, realloc) TUPLE(shim_reallocf, reallocf)
    TUPLE(shim_reallocarray, reallocarray) TUPLE(shim_reallocarrayf, reallocarrayf) TUPLE(shim_valloc, valloc)
    TUPLE(shim_free, free) TUPLE(shim_free, vfree) TUPLE(shim_posix_memalign, posix_memalign)
    TUPLE(shim_aligned_alloc, aligned_alloc) TUPLE(shim_size, malloc_size) TUPLE(heap_good_size, malloc_good_size)
    TUPLE(shim_default_zone, malloc_default_zone) TUPLE(shim_zone_from_ptr, malloc_zone_from_ptr)
    TUPLE(shim_zone_malloc, malloc_zone_malloc) TUPLE(shim_zone_calloc, malloc_zone_calloc)
    TUPLE(shim_zone_valloc, malloc_zone_valloc) TUPLE(shim_zone_memalign, malloc_zone_memalign)
    TUPLE(shim_zone_realloc, malloc_zone_realloc) TUPLE(shim_zone_free, malloc_zone_free)
    TUPLE(shim_batch_malloc, malloc_zone_batch_malloc) TUPLE(shim_batch_free, malloc_zone_batch_free)
    TUPLE(shim_zone_with_options, malloc_zone_malloc_with_options) MORE_TUPLES
};
