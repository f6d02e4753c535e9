// A new-handler may throw: its own exception leaves throwing operator new as it is, with the stack unwound and the heap working ([new.handler]/2, [new.delete.single]/4).
//@ standard = true
#include "law.h"
#include "huge_new.h"
#include <string>

namespace {

struct OutOfMemory : std::bad_alloc {
    int number = 42;
    const char *what() const noexcept override
    {
        return "our own";
    }
};

int calls, unwound;

struct Witness {
    ~Witness()
    {
        unwound++;
    }
};

void throws_derived()
{
    calls++;
    throw OutOfMemory();
}

void throws_other()
{
    calls++;
    throw std::string("a string that is too long to be stored inside of the object");
}

void throws_number()
{
    calls++;
    throw 7;
}

} // namespace

int main()
{
    for (int form = 0; form < throwing_forms; form++) {
        for (std::size_t size : huge_sizes) {
            calls = unwound = 0;
            bool caught = false;
            std::set_new_handler(throws_derived);
            try {
                Witness witness;
                static_cast<void>(OPAQUE(throwing_new(form, size)));
            } catch (const OutOfMemory &error) {
                caught = error.number == 42;
            }
            CHECK(caught && calls == 1 && unwound == 1, "%s of %zu to let the handler's exception through; saw %d calls", throwing_name(form),
                  size, calls);

            caught = false;
            std::set_new_handler(throws_other);
            try {
                Witness witness;
                static_cast<void>(OPAQUE(throwing_new(form, size)));
            } catch (const std::string &text) {
                caught = text[0] == 'a';
            }
            CHECK(caught && calls == 2 && unwound == 2, "%s of %zu to let a std::string through; saw %d calls", throwing_name(form), size,
                  calls);

            caught = false;
            std::set_new_handler(throws_number);
            try {
                Witness witness;
                static_cast<void>(OPAQUE(throwing_new(form, size)));
            } catch (int number) {
                caught = number == 7;
            }
            CHECK(caught && calls == 3 && unwound == 3, "%s of %zu to let an int through; saw %d calls", throwing_name(form), size, calls);
            CHECK(std::get_new_handler() == throws_number, "the handler to stay installed; saw another");
            delete_of_new(form, OPAQUE(throwing_new(form, 100)));
        }
    }
    return 0;
}
