// Every power of two from 1 to 1 MiB is honoured by aligned_alloc(), memalign() and posix_memalign(), and the block can be used, resized and freed (posix_memalign(3)).
#include "law.h"

static void *by_aligned_alloc(size_t alignment, size_t size)
{
    return aligned_alloc(alignment, size);
}

#if PLATFORM_HAS_MEMALIGN
static void *by_memalign(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}
#endif

static void *by_posix_memalign(size_t alignment, size_t size)
{
    void *block = NULL;
    return posix_memalign(&block, alignment, size) == 0 ? block : NULL;
}

int main(void)
{
    static const struct {
        const char *name;
        void *(*call)(size_t, size_t);
        size_t least;
    } ways[] = {
        {"aligned_alloc", by_aligned_alloc, PLATFORM_ALIGNED_ALLOC_LEAST},
#if PLATFORM_HAS_MEMALIGN
        {"memalign", by_memalign, 1},
#endif
        {"posix_memalign", by_posix_memalign, sizeof(void *)},
    };
    static const size_t factors[] = {1, 2, 3};
    static const size_t sizes[] = {0, 1, 15, 100, 4096, 70000};
    enum { count = sizeof factors / sizeof *factors + sizeof sizes / sizeof *sizes };
    for (size_t way = 0; way < sizeof ways / sizeof *ways; way++) {
        for (size_t alignment = ways[way].least; alignment <= (size_t)1 << 20; alignment *= 2) {
            void *blocks[count];
            size_t lengths[count];
            for (size_t i = 0; i < count; i++) {
                size_t size = i < 3 ? factors[i] * alignment : sizes[i - 3];
#if !PLATFORM_ALIGNED_ALLOC_TAKES_ANY_SIZE
                size = (size + alignment - 1) / alignment * alignment;
#endif
                lengths[i] = size < 8192 ? size : 8192;
                blocks[i] = OPAQUE(ways[way].call(OPAQUE(alignment), OPAQUE(size)));
                CHECK(blocks[i] != NULL, "%s(%zu, %zu) to succeed; saw NULL, errno %d", ways[way].name, alignment, size, law_errno());
                CHECK(law_is_aligned(blocks[i], alignment), "%s(%zu, %zu) to be aligned; saw %p", ways[way].name, alignment, size,
                      blocks[i]);
                CHECK(law_room(blocks[i], size) >= size, "%s(%zu, %zu) to have room for its size; saw %zu", ways[way].name,
                      alignment, size, law_room(blocks[i], size));
                law_fill(blocks[i], lengths[i], (unsigned)i);
                if (size > 0) {
                    ((char *)blocks[i])[size - 1] = (char)law_pattern(size - 1, (unsigned)i);
                }
            }
            for (size_t i = 0; i < count; i++) {
                CHECK(law_intact(blocks[i], lengths[i], (unsigned)i) == lengths[i],
                      "%s(%zu, _) to give blocks of their own; saw them overlap", ways[way].name, alignment);
                if (i % 2) {
                    blocks[i] = OPAQUE(realloc(blocks[i], OPAQUE(lengths[i] + 100)));
                    CHECK(blocks[i] != NULL && law_intact(blocks[i], lengths[i], (unsigned)i) == lengths[i],
                          "realloc() of a block of %s(%zu, _) to keep its content; saw %p", ways[way].name, alignment, blocks[i]);
                }
                free(blocks[i]);
            }
        }
    }
    return 0;
}
