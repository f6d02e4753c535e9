// When memory really runs out, a new-handler that frees a reserve makes operator new succeed, and without one std::bad_alloc can still be thrown ([new.handler]/2).
#include "law.h"
#include "huge_new.h"
#include <initializer_list>

namespace {

constexpr std::size_t size = std::size_t{8} << 20;
constexpr int most = 4096;

void *reserve[most];
int count, calls;

void free_half()
{
    calls++;
    if (count == 0) {
        std::set_new_handler(nullptr);
        return;
    }
    for (int half = count / 2; count > half; count--) {
        ::operator delete(reserve[count - 1]);
    }
}

void fill()
{
    std::set_new_handler(nullptr);
    while (count < most) {
        void *block = OPAQUE(::operator new(OPAQUE(size), std::nothrow));
        if (block == nullptr) {
            return;
        }
        reserve[count++] = block;
    }
    law_does_not_apply("the heap holds 32 GiB beyond the limit");
}

} // namespace

int main()
{
    law_limit_address_space(std::size_t{256} << 20);
    for (int form = 0; form < throwing_forms; form++) {
        for (bool quiet : {false, true}) {
            fill();
            CHECK(count > 4, "some blocks to fit; saw %d", count);
            bool caught = false;
            try {
                static_cast<void>(OPAQUE(throwing_new(form, size * 4)));
            } catch (const std::bad_alloc &) {
                caught = true;
            }
            CHECK(caught, "%s to throw when memory has run out; saw it return", throwing_name(form));

            /* Blocks of the size of those that the handler frees: heaps need not join or move what was freed. */
            calls = 0;
            std::set_new_handler(free_half);
            void *blocks[64];
            int more = 0;
            do {
                blocks[more] = OPAQUE(quiet ? nothrow_new(form, size) : throwing_new(form, size));
                CHECK(blocks[more] != nullptr, "%s%s to succeed after the handler freed memory; saw nullptr", quiet ? "nothrow " : "",
                      throwing_name(form));
                law_fill(blocks[more], 65536, 1);
                more++;
            } while (calls == 0 && more < 64);
            CHECK(calls >= 1 && calls < 20, "the handler to be called until it helps; saw %d calls", calls);
            while (more > 0) {
                delete_of_new(form, blocks[--more]);
            }
        }
    }
    std::set_new_handler(nullptr);
    while (count > 0) {
        ::operator delete(reserve[--count]);
    }
    return 0;
}
