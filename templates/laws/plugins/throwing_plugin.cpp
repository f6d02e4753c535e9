// A C++ plug-in for a C program: the C++ runtime comes with it, and only into its own scope.
#include "law.h"
#include "huge_new.h"
#include <string>
#include <vector>

namespace {

int calls, limit;

void handler()
{
    if (++calls == limit) {
        std::set_new_handler(nullptr);
    }
}

struct Own {
};

void throws_own()
{
    calls++;
    throw Own();
}

} // namespace

/* The number of times that the handler was called before std::bad_alloc was caught here; -1 if it was not. */
extern "C" int plugin_fail(int form, int handler_calls)
{
    calls = 0;
    limit = handler_calls;
    std::set_new_handler(handler_calls > 0 ? handler : nullptr);
    try {
        static_cast<void>(OPAQUE(throwing_new(form, SIZE_MAX - 100)));
    } catch (const std::bad_alloc &error) {
        return error.what()[0] != 0 ? calls : -1;
    }
    return -1;
}

extern "C" int plugin_fail_quietly(int form, int handler_calls)
{
    calls = 0;
    limit = handler_calls;
    std::set_new_handler(handler_calls > 0 ? handler : nullptr);
    return OPAQUE(nothrow_new(form, SIZE_MAX - 100)) == nullptr ? calls : -1;
}

/* 1 if the handler's own exception came through. */
extern "C" int plugin_handler_throws(int form)
{
    calls = 0;
    std::set_new_handler(throws_own);
    bool caught = false;
    try {
        static_cast<void>(OPAQUE(throwing_new(form, SIZE_MAX - 100)));
    } catch (const Own &) {
        caught = calls == 1;
    }
    std::set_new_handler(nullptr);
    return caught;
}

extern "C" std::size_t plugin_work()
{
    std::vector<std::string> strings;
    for (std::size_t i = 0; i < 500; i++) {
        strings.emplace_back(i, 's');
    }
    std::size_t sum = 0;
    for (const std::string &string : strings) {
        sum += string.size();
    }
    return sum;
}
