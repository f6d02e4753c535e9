// new, new[] and the containers align objects of over-aligned types ([expr.new]/14, C++17 P0035).
//@ standard = true
#include "law.h"
#include <list>
#include <map>
#include <memory>
#include <new>
#include <vector>

namespace {

int live;

template <std::size_t Alignment>
struct alignas(Alignment) Aligned {
    unsigned char bytes[Alignment + 1];

    Aligned()
    {
        CHECK(law_is_aligned(this, Alignment), "an object to be aligned to %zu; saw %p", Alignment, static_cast<void *>(this));
        live++;
        law_fill(bytes, sizeof bytes, 1);
    }

    Aligned(const Aligned &) : Aligned()
    {
    }

    ~Aligned()
    {
        CHECK(law_intact(bytes, sizeof bytes, 1) == sizeof bytes, "an object aligned to %zu to be intact; saw other bytes", Alignment);
        live--;
    }
};

template <std::size_t Alignment>
void check()
{
    using Type = Aligned<Alignment>;
    std::vector<std::unique_ptr<Type>> objects;
    std::vector<std::unique_ptr<Type[]>> arrays;
    for (std::size_t i = 0; i < 40; i++) {
        objects.emplace_back(OPAQUE(new Type));
        arrays.emplace_back(OPAQUE(new Type[OPAQUE(i % 5 + 1)]));
        Type *quiet = OPAQUE(new (std::nothrow) Type);
        CHECK(quiet != nullptr, "nothrow new to succeed; saw nullptr");
        objects.emplace_back(quiet);
        if (i % 3 == 0) {
            objects[i / 2].reset();
        }
    }
    std::vector<Type> vector;
    std::list<Type> list;
    std::map<int, Type> map;
    for (int i = 0; i < 40; i++) {
        vector.emplace_back();
        list.emplace_back();
        map[i * 7 % 40];
    }
    vector.shrink_to_fit();
    auto shared = std::make_shared<Type>();
    CHECK(law_is_aligned(vector.data(), Alignment) && law_is_aligned(&list.back(), Alignment) && law_is_aligned(&map[3], Alignment) &&
              law_is_aligned(shared.get(), Alignment),
          "containers of objects aligned to %zu; saw %p", Alignment, static_cast<void *>(vector.data()));
}

} // namespace

int main()
{
    check<16>();
    check<32>();
    check<64>();
    check<128>();
    check<4096>();
    check<16384>();
    CHECK(live == 0, "every object to be destroyed; saw %d left", live);
    return 0;
}
