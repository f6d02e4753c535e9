// Each of the eight operators new returns a block of its own that each of its deletes takes: plain, sized, nothrow, aligned ([new.delete.single], [new.delete.array]; 20 functions).
//@ flags_clang = ["-fsized-deallocation"]
//@ standard = true
#include "law.h"
#include <initializer_list>
#include <new>

namespace {

enum Form { plain, sized, nothrow, forms };

void *allocate(bool array, bool quiet, std::size_t alignment, std::size_t size)
{
    size = OPAQUE(size);
    if (alignment == 0) {
        if (quiet) {
            return array ? ::operator new[](size, std::nothrow) : ::operator new(size, std::nothrow);
        }
        return array ? ::operator new[](size) : ::operator new(size);
    }
    const auto align = static_cast<std::align_val_t>(alignment);
    if (quiet) {
        return array ? ::operator new[](size, align, std::nothrow) : ::operator new(size, align, std::nothrow);
    }
    return array ? ::operator new[](size, align) : ::operator new(size, align);
}

void release_one(int form, std::size_t alignment, void *block, std::size_t size)
{
    const auto align = static_cast<std::align_val_t>(alignment);
    switch (form + (alignment ? forms : 0)) {
    case plain:
        return ::operator delete(block);
    case sized:
        return ::operator delete(block, size);
    case nothrow:
        return ::operator delete(block, std::nothrow);
    case forms + plain:
        return ::operator delete(block, align);
    case forms + sized:
        return ::operator delete(block, size, align);
    default:
        return ::operator delete(block, align, std::nothrow);
    }
}

void release_array(int form, std::size_t alignment, void *block, std::size_t size)
{
    const auto align = static_cast<std::align_val_t>(alignment);
    switch (form + (alignment ? forms : 0)) {
    case plain:
        return ::operator delete[](block);
    case sized:
        return ::operator delete[](block, size);
    case nothrow:
        return ::operator delete[](block, std::nothrow);
    case forms + plain:
        return ::operator delete[](block, align);
    case forms + sized:
        return ::operator delete[](block, size, align);
    default:
        return ::operator delete[](block, align, std::nothrow);
    }
}

/* Not one expression with a conditional operator: clang 14 calls both sides of it. */
void release(bool array, int form, std::size_t alignment, void *block, std::size_t size)
{
    if (array) {
        release_array(form, alignment, block, size);
    } else {
        release_one(form, alignment, block, size);
    }
}

} // namespace

int main()
{
    static const std::size_t alignments[] = {0, 8, 16, 32, 64, 256, 4096, 65536};
    static const std::size_t sizes[] = {0, 1, 13, 100, 1000, 5000, 70000};
    constexpr int count = 4 * forms;
    for (std::size_t alignment : alignments) {
        for (std::size_t size : sizes) {
            void *blocks[count];
            for (int i = 0; i < count; i++) {
                blocks[i] = OPAQUE(allocate(i & 1, i & 2, alignment, size));
                CHECK(blocks[i] != nullptr, "operator new(%zu) aligned to %zu to succeed; saw NULL", size, alignment);
                CHECK(law_is_aligned(blocks[i], alignment ? alignment : size >= 16 ? 16 : 1), "operator new(%zu) to be aligned to %zu; saw %p", size,
                      alignment, blocks[i]);
                for (int j = 0; j < i; j++) {
                    CHECK(blocks[i] != blocks[j], "a block of its own; saw %p twice", blocks[i]);
                }
                law_fill(blocks[i], size, static_cast<unsigned>(i));
            }
            for (int i = 0; i < count; i++) {
                CHECK(law_intact(blocks[i], size, static_cast<unsigned>(i)) == size, "blocks of their own; saw them overlap");
                release(i & 1, i / 4, alignment, blocks[i], size);
            }
        }
    }
    /* Each of the twelve deletes really frees: 40 MB, were it not so. */
    for (std::size_t alignment : {std::size_t{0}, std::size_t{64}}) {
        for (int i = 0; i < 2 * forms; i++) {
            const std::size_t resident = law_process_bytes(1);
            for (int j = 0; j < 40000; j++) {
                release(i & 1, i / 2, alignment, OPAQUE(allocate(i & 1, j & 1, alignment, 1000)), 1000);
            }
            std::size_t grown = law_process_bytes(1);
            grown = grown > resident ? grown - resident : 0;
            CHECK(grown < std::size_t{16} << 20, "%s%soperator delete%s to free; saw memory grow by %zu bytes", alignment ? "aligned " : "",
                  i / 2 == sized ? "sized " : i / 2 == nothrow ? "nothrow " : "", i & 1 ? "[]" : "", grown);
            release(i & 1, i / 2, alignment, OPAQUE(static_cast<void *>(nullptr)), 10);
        }
    }
    return 0;
}
