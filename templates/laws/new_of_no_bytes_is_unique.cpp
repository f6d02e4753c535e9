// operator new(0) returns a block of its own, never nullptr, in all eight forms ([basic.stc.dynamic.allocation]/2).
//@ standard = true
#include "law.h"
#include <new>

int main()
{
    constexpr int ways = 8, each = 25;
    void *blocks[ways * each];
    const auto align = std::align_val_t{64};
    for (int i = 0; i < ways * each; i++) {
        const std::size_t none = OPAQUE(std::size_t{0});
        void *block = nullptr;
        switch (i % ways) {
        case 0: block = ::operator new(none); break;
        case 1: block = ::operator new[](none); break;
        case 2: block = ::operator new(none, std::nothrow); break;
        case 3: block = ::operator new[](none, std::nothrow); break;
        case 4: block = ::operator new(none, align); break;
        case 5: block = ::operator new[](none, align); break;
        case 6: block = ::operator new(none, align, std::nothrow); break;
        default: block = ::operator new[](none, align, std::nothrow);
        }
        block = OPAQUE(block);
        CHECK(block != nullptr, "operator new(0), form %d, to return a block; saw nullptr", i % ways);
        CHECK(i % ways < 4 || law_is_aligned(block, 64), "operator new(0, 64), form %d, to be aligned; saw %p", i % ways, block);
        for (int j = 0; j < i; j++) {
            CHECK(block != blocks[j], "operator new(0), form %d, to return a block of its own; saw %p twice", i % ways, block);
        }
        blocks[i] = block;
    }
    for (int i = 0; i < ways * each; i++) {
        switch (i % ways) {
        case 0: case 2: ::operator delete(blocks[i]); break;
        case 1: case 3: ::operator delete[](blocks[i]); break;
        case 4: case 6: ::operator delete(blocks[i], align); break;
        default: ::operator delete[](blocks[i], align);
        }
    }
    return 0;
}
