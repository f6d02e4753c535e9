// Aligned operator new of nearly SIZE_MAX bytes fails: rounding the size up to the alignment does not wrap to a small block ([new.delete.single]/4; libstdc++'s own default is known to wrap).
#include "law.h"
#include <initializer_list>
#include <new>

int main()
{
    const char *name = sizeof(std::size_t) == sizeof(unsigned) ? "_ZnwjSt11align_val_t" : "_ZnwmSt11align_val_t";
    Dl_info where;
    if (law_lookup(name) == 0 || dladdr(reinterpret_cast<void *>(law_lookup(name)), &where) == 0) {
        law_does_not_apply("the aligned operator new cannot be looked up");
    }
    if (strstr(where.dli_fname, "libstdc++") != nullptr) {
        law_does_not_apply("the aligned operator new is libstdc++'s own, which wraps");
    }
    for (std::size_t alignment = 16; alignment <= 65536; alignment *= 4) {
        for (std::size_t size : {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - alignment + 1, SIZE_MAX - alignment + 2, SIZE_MAX - alignment}) {
            bool caught = false;
            try {
                static_cast<void>(OPAQUE(::operator new(OPAQUE(size), static_cast<std::align_val_t>(alignment))));
            } catch (const std::bad_alloc &) {
                caught = true;
            }
            CHECK(caught, "operator new(%zu, %zu) to throw std::bad_alloc; saw it return", size, alignment);
            caught = false;
            try {
                static_cast<void>(OPAQUE(::operator new[](OPAQUE(size), static_cast<std::align_val_t>(alignment))));
            } catch (const std::bad_alloc &) {
                caught = true;
            }
            CHECK(caught, "operator new[](%zu, %zu) to throw std::bad_alloc; saw it return", size, alignment);
            void *block = OPAQUE(::operator new(OPAQUE(size), static_cast<std::align_val_t>(alignment), std::nothrow));
            CHECK(block == nullptr, "nothrow operator new(%zu, %zu) to return nullptr; saw %p", size, alignment, block);
        }
    }
    return 0;
}
