// Throwing operator new that fails calls the new-handler and tries again for as long as there is one, then throws std::bad_alloc ([new.delete.single]/4).
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

int other_calls;

void other_handler()
{
    other_calls++;
    std::set_new_handler(nullptr);
}

/* Hands over to another handler: each try must ask for the current one. */
void handing_over()
{
    calls++;
    std::set_new_handler(other_handler);
}

bool throws(int form, std::size_t size)
{
    try {
        static_cast<void>(OPAQUE(throwing_new(form, size)));
    } catch (const std::bad_alloc &) {
        return true;
    }
    return false;
}

} // namespace

int main()
{
    for (int form = 0; form < throwing_forms; form++) {
        for (std::size_t size : huge_sizes) {
            for (int times : {1, 2, 3, 50}) {
                calls = 0;
                limit = times;
                std::set_new_handler(handler);
                CHECK(throws(form, size), "%s of %zu to throw std::bad_alloc; saw it return", throwing_name(form), size);
                CHECK(calls == times, "%s of %zu to call the handler %d times; saw %d", throwing_name(form), size, times, calls);
                CHECK(std::get_new_handler() == nullptr, "no handler to be left; saw one");
            }
            calls = other_calls = 0;
            std::set_new_handler(handing_over);
            CHECK(throws(form, size), "%s of %zu to throw std::bad_alloc; saw it return", throwing_name(form), size);
            CHECK(calls == 1 && other_calls == 1, "%s of %zu to call each handler once; saw %d and %d calls", throwing_name(form), size, calls,
                  other_calls);
        }
    }
    /* Nothing fails, nobody is called. */
    calls = 0;
    std::set_new_handler(handler);
    for (int form = 0; form < throwing_forms; form++) {
        delete_of_new(form, OPAQUE(throwing_new(form, 1000)));
    }
    CHECK(calls == 0, "the handler not to be called by new that succeeds; saw %d calls", calls);
    return 0;
}
