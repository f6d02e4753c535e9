// operator delete leaves errno as it was, as free() does, in all its forms and for nullptr (POSIX.1-2024 for free(), which the operators stand for).
//@ flags_clang = ["-fsized-deallocation"]
#include "law.h"
#include <new>

namespace {

void set()
{
    law_set_errno(77);
}

void check(const char *name)
{
    const int error = law_errno();
    CHECK(error == 77, "%s to leave errno at 77; saw %d", name, error);
}

} // namespace

#define KEEPS_ERRNO(call) \
    do {                  \
        set();            \
        call;             \
        check(#call);     \
    } while (0)

int main()
{
    const auto align = std::align_val_t{64};
    for (std::size_t size = 1; size <= std::size_t{64} << 20; size *= 16) {
        const std::size_t n = OPAQUE(size);
        void *block = OPAQUE(::operator new(n));
        KEEPS_ERRNO(::operator delete(block));
        block = OPAQUE(::operator new(n));
        KEEPS_ERRNO(::operator delete(block, n));
        block = OPAQUE(::operator new(n));
        KEEPS_ERRNO(::operator delete(block, std::nothrow));
        block = OPAQUE(::operator new[](n));
        KEEPS_ERRNO(::operator delete[](block));
        block = OPAQUE(::operator new[](n));
        KEEPS_ERRNO(::operator delete[](block, n));
        block = OPAQUE(::operator new[](n));
        KEEPS_ERRNO(::operator delete[](block, std::nothrow));
        block = OPAQUE(::operator new(n, align));
        KEEPS_ERRNO(::operator delete(block, align));
        block = OPAQUE(::operator new(n, align));
        KEEPS_ERRNO(::operator delete(block, n, align));
        block = OPAQUE(::operator new(n, align));
        KEEPS_ERRNO(::operator delete(block, align, std::nothrow));
        block = OPAQUE(::operator new[](n, align));
        KEEPS_ERRNO(::operator delete[](block, align));
        block = OPAQUE(::operator new[](n, align));
        KEEPS_ERRNO(::operator delete[](block, n, align));
        block = OPAQUE(::operator new[](n, align));
        KEEPS_ERRNO(::operator delete[](block, align, std::nothrow));
    }
    KEEPS_ERRNO(::operator delete(OPAQUE(static_cast<void *>(nullptr))));
    KEEPS_ERRNO(::operator delete[](OPAQUE(static_cast<void *>(nullptr))));
    KEEPS_ERRNO(::operator delete(OPAQUE(static_cast<void *>(nullptr)), align));
    return 0;
}
