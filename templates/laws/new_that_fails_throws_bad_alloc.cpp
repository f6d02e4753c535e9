// Throwing operator new without a new-handler throws std::bad_alloc, which handlers for std::bad_alloc and std::exception catch ([new.delete.single]/4, [bad.alloc]).
//@ standard = true
#include "law.h"
#include "huge_new.h"
#include <string>
#include <typeinfo>
#include <vector>

int main()
{
    for (int form = 0; form < throwing_forms; form++) {
        for (std::size_t size : huge_sizes) {
            bool caught = false;
            try {
                void *block = OPAQUE(throwing_new(form, size));
                CHECK(false, "%s of %zu to throw; saw %p returned", throwing_name(form), size, block);
            } catch (const std::bad_alloc &error) {
                caught = true;
                CHECK(typeid(error) == typeid(std::bad_alloc), "a std::bad_alloc itself; saw %s", typeid(error).name());
                CHECK(error.what() != nullptr && error.what()[0] != 0, "what() to tell; saw nothing");
            }
            CHECK(caught, "%s of %zu to throw std::bad_alloc; saw nothing caught", throwing_name(form), size);

            caught = false;
            try {
                static_cast<void>(OPAQUE(throwing_new(form, size)));
            } catch (const std::exception &error) {
                caught = true;
                CHECK(dynamic_cast<const std::bad_alloc *>(&error) != nullptr, "a std::bad_alloc; saw %s", typeid(error).name());
            }
            CHECK(caught, "%s of %zu to throw a std::exception; saw nothing caught", throwing_name(form), size);
        }
    }
    /* Through the containers, as programs meet it; and what was there before is there afterwards. */
    std::vector<char> bytes(1000, 'v');
    try {
        bytes.reserve(OPAQUE(static_cast<std::size_t>(PTRDIFF_MAX) - 100));
        /* A whole 32-bit address space may have room for half of it. */
        CHECK(sizeof(std::size_t) == 4, "std::vector::reserve() to throw; saw it return");
    } catch (const std::bad_alloc &) {
    }
    CHECK(bytes.size() == 1000 && bytes[999] == 'v', "the vector to be intact; saw something else");
    /* The exception can be kept, thrown again and copied. */
    std::exception_ptr kept;
    try {
        static_cast<void>(OPAQUE(throwing_new(0, huge_sizes[0])));
    } catch (...) {
        kept = std::current_exception();
    }
    try {
        std::rethrow_exception(kept);
    } catch (const std::bad_alloc &error) {
        const std::bad_alloc copy(error);
        CHECK(copy.what() != nullptr, "a copy of the exception to tell; saw nothing");
    }
    return 0;
}
