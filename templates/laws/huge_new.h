/* The forms of operator new, called with sizes that no heap can serve. */
#ifndef HUGE_NEW_H
#define HUGE_NEW_H

#include <cstddef>
#include <cstdint>
#include <exception>
#include <new>

/* None is nearer to SIZE_MAX than the alignment: see aligned_new_does_not_wrap.cpp. */
static const std::size_t huge_sizes[] = {static_cast<std::size_t>(PTRDIFF_MAX) + 1, SIZE_MAX - 65536, SIZE_MAX - 4096, SIZE_MAX - 100};

constexpr int throwing_forms = 4;

inline const char *throwing_name(int form)
{
    static const char *const names[] = {"operator new", "operator new[]", "aligned operator new", "aligned operator new[]"};
    return names[form];
}

inline void *throwing_new(int form, std::size_t size)
{
    size = OPAQUE(size);
    switch (form) {
    case 0:
        return ::operator new(size);
    case 1:
        return ::operator new[](size);
    case 2:
        return ::operator new(size, std::align_val_t{64});
    default:
        return ::operator new[](size, std::align_val_t{64});
    }
}

inline void *nothrow_new(int form, std::size_t size)
{
    size = OPAQUE(size);
    switch (form) {
    case 0:
        return ::operator new(size, std::nothrow);
    case 1:
        return ::operator new[](size, std::nothrow);
    case 2:
        return ::operator new(size, std::align_val_t{64}, std::nothrow);
    default:
        return ::operator new[](size, std::align_val_t{64}, std::nothrow);
    }
}

inline void delete_of_new(int form, void *block)
{
    switch (form) {
    case 0:
        return ::operator delete(block);
    case 1:
        return ::operator delete[](block);
    case 2:
        return ::operator delete(block, std::align_val_t{64});
    default:
        return ::operator delete[](block, std::align_val_t{64});
    }
}

#endif
