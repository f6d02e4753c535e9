// When no memory is left at all, each throwing new still throws std::bad_alloc, each nothrow new returns nullptr, containers keep what they have, and after the deletes new succeeds again ([new.delete.single]/4, [container.requirements.general]; setrlimit(2)).
#include "law.h"
#include "huge_new.h"
#include <string>
#include <vector>

namespace {

constexpr int most = 400000;
constexpr std::size_t size = 100;

/* A list that lies in the blocks themselves: there is no other memory. */
struct Block {
    Block *next;
};

Block *put(void *block, Block *list)
{
    return new (block) Block{list};
}

Block *filling;

/* Takes nearly everything, in blocks that are hardly touched. */
void fill()
{
    for (std::size_t large = std::size_t{8} << 20; large >= 2048; large /= 4) {
        for (int count = 0;; count++) {
            void *block = OPAQUE(malloc(OPAQUE(large)));
            if (block == nullptr) {
                break;
            }
            if (count == most) {
                law_does_not_apply("the heap holds too much beyond the limit");
            }
            filling = put(block, filling);
        }
    }
}

void *take(int form, bool quiet)
{
    if (quiet) {
        return OPAQUE(nothrow_new(form, size));
    }
    try {
        void *block = OPAQUE(throwing_new(form, size));
        CHECK(block != nullptr, "%s to return a block or to throw; saw nullptr", throwing_name(form));
        return block;
    } catch (const std::bad_alloc &error) {
        CHECK(error.what()[0] != 0, "what() to tell; saw nothing");
        return nullptr;
    }
}

/* How many blocks it gave. */
int use_up_memory(int form, bool quiet)
{
    Block *list = nullptr;
    int count = 0;
    while (void *block = take(form, quiet)) {
        if (++count == most) {
            law_does_not_apply("the heap holds too much beyond the limit");
        }
        list = put(block, list);
    }
    /* Not only once; but a heap may find some more when it tidies up. */
    for (int i = 0; i < 50; i++) {
        if (void *block = take(form, quiet)) {
            list = put(block, list);
        }
    }
    while (list != nullptr) {
        Block *next = list->next;
        delete_of_new(form, list);
        list = next;
    }
    /* An aligned block may need the room of several. */
    if (count >= 16) {
        void *again = take(form, quiet);
        CHECK(again != nullptr, "%s to succeed again after the deletes; saw it fail", throwing_name(form));
        delete_of_new(form, again);
    }
    return count;
}

} // namespace

int main()
{
    std::vector<std::string> strings(10, "a string that is too long to lie inside of its object");
    free(OPAQUE(malloc(3000)));
    /* What the C++ runtime needs for its first exception it may look up now. */
    try {
        throw std::bad_alloc();
    } catch (const std::bad_alloc &) {
    }
    /* A heap may have used up all the addresses that it reserves, and keep them for blocks of one size. */
    int gave[throwing_forms] = {};
    law_limit_address_space(std::size_t{64} << 20);
    fill();
    for (int form = 0; form < throwing_forms; form++) {
        gave[form] = use_up_memory(form, false) + use_up_memory(form, true);
    }
    bool caught = false;
    try {
        for (int i = 0; i < 100; i++) {
            strings.resize(OPAQUE(strings.size() * 2 + 1));
        }
    } catch (const std::bad_alloc &) {
        caught = true;
    }
    CHECK(caught, "std::vector::resize() to throw when memory runs out; saw it return");
    CHECK(strings[9] == "a string that is too long to lie inside of its object", "the strings to be kept; saw \"%.20s\"", strings[9].c_str());
    while (filling != nullptr) {
        Block *next = filling->next;
        free(filling);
        filling = next;
    }
    law_lift_limit();
    for (int form = 0; form < throwing_forms; form++) {
        void *again = take(form, false);
        CHECK(again != nullptr || gave[form] == 0, "%s to succeed without the limit; saw it fail", throwing_name(form));
        delete_of_new(form, again);
    }
    return 0;
}
