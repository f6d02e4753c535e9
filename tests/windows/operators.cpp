// Operators new and delete of a program that carries its heap: each form comes from it and goes back.
#include <windows.h>

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

extern "C" {
#include "counted_heap.h"

extern counters counted_heap_counters;
bool counted_heap_has(const void *ptr);
}

static unsigned checks, failures;

static void check(bool holds, const char *law)
{
    checks++;
    if (!holds) {
        failures++;
        std::printf("FAIL %s\n", law);
    }
}
#define CHECK(condition) check((condition), #condition)

struct alignas(4096) Wide {
    char bytes[4096];
};

template <typename Allocate, typename Release>
static void form(const char *name, Allocate allocate, Release release)
{
    const long freed = counted_heap_counters.freed;
    void *block = allocate();
    check(block != nullptr && counted_heap_has(block), name);
    release(block);
    check(counted_heap_counters.freed == freed + 1, name);
}

static void forms()
{
    constexpr std::align_val_t wide{4096};
    form("single", [] { return ::operator new(100); }, [](void *p) { ::operator delete(p); });
    form("array", [] { return ::operator new[](100); }, [](void *p) { ::operator delete[](p); });
    form("sized", [] { return ::operator new(100); }, [](void *p) { ::operator delete(p, std::size_t{100}); });
    form("sized array", [] { return ::operator new[](100); }, [](void *p) { ::operator delete[](p, std::size_t{100}); });
    form("nothrow", [] { return ::operator new(100, std::nothrow); }, [](void *p) { ::operator delete(p, std::nothrow); });
    form("nothrow array", [] { return ::operator new[](100, std::nothrow); },
        [](void *p) { ::operator delete[](p, std::nothrow); });
    form("aligned", [] { return ::operator new(100, wide); }, [](void *p) { ::operator delete(p, wide); });
    form("aligned array", [] { return ::operator new[](100, wide); }, [](void *p) { ::operator delete[](p, wide); });
    form("aligned, sized", [] { return ::operator new(100, wide); },
        [](void *p) { ::operator delete(p, std::size_t{100}, wide); });
    form("aligned array, sized", [] { return ::operator new[](100, wide); },
        [](void *p) { ::operator delete[](p, std::size_t{100}, wide); });
    form("aligned, nothrow", [] { return ::operator new(100, wide, std::nothrow); },
        [](void *p) { ::operator delete(p, wide, std::nothrow); });
    form("aligned array, nothrow", [] { return ::operator new[](100, wide, std::nothrow); },
        [](void *p) { ::operator delete[](p, wide, std::nothrow); });
    std::unique_ptr<Wide> object(new Wide);
    CHECK(reinterpret_cast<std::uintptr_t>(object.get()) % 4096 == 0 && counted_heap_has(object.get()));
    ::operator delete(nullptr);
    ::operator delete(nullptr, wide);
}

static void library()
{
    const long allocated = counted_heap_counters.allocated;
    std::string text(1000, 'x');
    CHECK(counted_heap_has(text.data()));
    std::vector<std::string> many(100, text);
    CHECK(counted_heap_has(many.data()) && counted_heap_has(many.back().data()));
    std::map<int, std::string> tree;
    for (int i = 0; i < 100; i++)
        tree[i] = text + std::to_string(i);
    CHECK(tree.at(99) == text + "99");
    CHECK(counted_heap_counters.allocated - allocated >= 300);
    try {
        throw std::runtime_error(text);
    } catch (const std::exception &error) {
        CHECK(text == error.what());
    }
}

static unsigned helped;

static void help()
{
    if (++helped == 3)
        std::set_new_handler(nullptr);
}

static void refuse()
{
    throw std::bad_alloc();
}

static void failing()
{
    volatile std::size_t most = SIZE_MAX / 2;
    constexpr std::align_val_t wide{4096};
    CHECK(::operator new(most, std::nothrow) == nullptr);
    CHECK(::operator new[](most, wide, std::nothrow) == nullptr);
    std::set_new_handler(help);
    bool thrown = false;
    try {
        ::operator delete(::operator new(most));
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    CHECK(thrown && helped == 3);
    std::set_new_handler(refuse);
    CHECK(::operator new[](most, std::nothrow) == nullptr);
    std::set_new_handler(nullptr);
}

// What other modules make by the C library of this one goes back there.
static void foreign(const char *file)
{
    const HMODULE module = GetModuleHandleA(file);
    const auto get = reinterpret_cast<void *(*)(std::size_t)>(GetProcAddress(module, "malloc"));
    const auto align
        = reinterpret_cast<void *(*)(std::size_t, std::size_t)>(GetProcAddress(module, "_aligned_malloc"));
    const long before = counted_heap_counters.foreign;
    void *block = get(100), *aligned = align(100, 4096);
    CHECK(!counted_heap_has(block) && !counted_heap_has(aligned));
    ::operator delete(block);
    ::operator delete(aligned, std::align_val_t{4096});
    CHECK(counted_heap_counters.foreign >= before + 2);
}

// Before main there are blocks already.
static const std::string early(1000, 'e');

int main()
{
    CHECK(counted_heap_has(early.data()));
    forms();
    library();
    failing();
    foreign(GetModuleHandleA("msvcrt.dll") != nullptr ? "msvcrt.dll" : "ucrtbase.dll"); // GNU's, or zig's
    std::printf("client: %u checks, %u failed, allocated %ld, resized %ld, freed %ld, foreign %ld\n", checks, failures,
        counted_heap_counters.allocated, counted_heap_counters.resized, counted_heap_counters.freed,
        counted_heap_counters.foreign);
    return failures != 0;
}
