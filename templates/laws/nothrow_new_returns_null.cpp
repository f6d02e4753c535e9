// nothrow operator new that fails returns nullptr after calling the new-handler as the throwing form does; it throws nothing, even when the handler does ([new.delete.single]/7).
//@ standard = true
#include "law.h"
#include "huge_new.h"
#include <initializer_list>

namespace {

int calls, limit;

void handler()
{
    if (++calls == limit) {
        std::set_new_handler(nullptr);
    }
}

struct Derived : std::bad_alloc {
};

void throws_bad_alloc()
{
    calls++;
    throw std::bad_alloc();
}

void throws_derived()
{
    calls++;
    throw Derived();
}

} // namespace

int main()
{
    for (int form = 0; form < throwing_forms; form++) {
        for (std::size_t size : huge_sizes) {
            std::set_new_handler(nullptr);
            void *block = OPAQUE(nothrow_new(form, size));
            CHECK(block == nullptr, "nothrow %s of %zu to return nullptr; saw %p", throwing_name(form), size, block);
            for (int times : {1, 3}) {
                calls = 0;
                limit = times;
                std::set_new_handler(handler);
                block = OPAQUE(nothrow_new(form, size));
                CHECK(block == nullptr, "nothrow %s of %zu to return nullptr; saw %p", throwing_name(form), size, block);
                CHECK(calls == times, "nothrow %s of %zu to call the handler %d times; saw %d", throwing_name(form), size, times, calls);
            }
            calls = 0;
            std::set_new_handler(throws_bad_alloc);
            block = OPAQUE(nothrow_new(form, size));
            CHECK(block == nullptr && calls == 1, "nothrow %s of %zu to swallow the handler's bad_alloc; saw %p after %d calls",
                  throwing_name(form), size, block, calls);
            std::set_new_handler(throws_derived);
            block = OPAQUE(nothrow_new(form, size));
            CHECK(block == nullptr && calls == 2, "nothrow %s of %zu to swallow a derived exception; saw %p after %d calls",
                  throwing_name(form), size, block, calls);
            CHECK(std::uncaught_exceptions() == 0, "no exception to be in flight; saw %d", std::uncaught_exceptions());
        }
        std::set_new_handler(nullptr);
        void *block = OPAQUE(nothrow_new(form, 1000));
        CHECK(block != nullptr, "nothrow %s of 1000 to succeed; saw nullptr", throwing_name(form));
        delete_of_new(form, block);
    }
    struct Large {
        char bytes[1000];
    };
    Large *objects = OPAQUE(new (std::nothrow) Large[OPAQUE(PTRDIFF_MAX / sizeof(Large))]);
    if (objects != nullptr) {
        /* A whole 32-bit address space may have room for half of it. */
        CHECK(sizeof(std::size_t) == 4, "new (std::nothrow) T[] of %zu bytes to return nullptr; saw %p", static_cast<std::size_t>(PTRDIFF_MAX),
              static_cast<void *>(objects));
        delete[] objects;
    }
    return 0;
}
