// A program with its own copy of the C++ runtime (-static-libstdc++) gets std::bad_alloc from a new that fails, calls its own handler, and works on (gcc(1) -static-libstdc++; [new.delete.single]).
//@ flags = ["-static-libstdc++", "-static-libgcc"]
//@ standard = true
#include "law.h"
#include "huge_new.h"
#include <string>
#include <vector>

namespace {

int calls;

void handler()
{
    if (++calls == 3) {
        std::set_new_handler(nullptr);
    }
}

} // namespace

int main()
{
    for (int form = 0; form < throwing_forms; form++) {
        for (std::size_t size : huge_sizes) {
            calls = 0;
            std::set_new_handler(handler);
            bool caught = false;
            try {
                static_cast<void>(OPAQUE(throwing_new(form, size)));
            } catch (const std::bad_alloc &error) {
                caught = error.what()[0] != 0;
            }
            CHECK(caught, "%s of %zu to throw std::bad_alloc; saw nothing caught", throwing_name(form), size);
            CHECK(calls == 3, "%s of %zu to call the handler 3 times; saw %d", throwing_name(form), size, calls);

            calls = 0;
            std::set_new_handler(handler);
            void *block = OPAQUE(nothrow_new(form, size));
            CHECK(block == nullptr && calls == 3, "nothrow %s of %zu to return nullptr after 3 calls; saw %p after %d", throwing_name(form),
                  size, block, calls);
        }
        delete_of_new(form, OPAQUE(throwing_new(form, 5000)));
    }
    std::vector<std::string> strings;
    for (std::size_t i = 0; i < 1000; i++) {
        strings.emplace_back(i % 100, 's');
    }
    CHECK(strings[999].size() == 99, "strings to be intact; saw another length");
    return 0;
}
