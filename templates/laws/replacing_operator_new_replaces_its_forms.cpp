// A program that replaces only operator new(size_t) and operator delete(void *) gets all calls of the array, nothrow and sized forms too ([new.delete.single]/6, /10; [new.delete.array]: their default versions call these).
//@ flags_clang = ["-fsized-deallocation"]
//@ repeat_builds = [["-O0"], ["-O2"], ["-O2", "-Wl,-Bsymbolic-functions"], ["-O2", "-flto"], ["-O2", "-rdynamic"], ["-O2", "-fno-semantic-interposition"], ["-O2", "-fno-plt", "-Wl,-z,now"]]
#include "law.h"
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

#if defined __GNUC__ && !defined __clang__
#pragma GCC diagnostic ignored "-Wsized-deallocation"
#endif

namespace {

int news, deletes;
std::size_t last_size;
constexpr std::size_t refused = 123456789;

/* What comes from these functions goes back to them: each block is marked. */
struct Header {
    unsigned long mark;
    unsigned long padding[sizeof(long) == 8 ? 1 : 3];
};

constexpr unsigned long mark = 0x600DB10C;

struct Refused : std::bad_alloc {
};

} // namespace

void *operator new(std::size_t size)
{
    news++;
    last_size = size;
    if (size == refused) {
        throw Refused();
    }
    auto *header = static_cast<Header *>(OPAQUE(malloc(size + sizeof(Header))));
    if (header == nullptr) {
        throw std::bad_alloc();
    }
    header->mark = mark;
    return OPAQUE(header + 1);
}

void operator delete(void *block) noexcept
{
    deletes++;
    if (block != nullptr) {
        auto *header = static_cast<Header *>(OPAQUE(block)) - 1;
        CHECK(header->mark == mark, "operator delete(void *) to get what operator new(size_t) returned; saw another block, %p", block);
        header->mark = 0;
        free(OPAQUE(static_cast<void *>(header)));
    }
}

#define REACHES(counter, call)                                                                            \
    do {                                                                                                  \
        const int before = counter;                                                                       \
        call;                                                                                             \
        const int seen = OPAQUE(counter) - before;                                                        \
        CHECK(seen == 1, #call " to call the program's own function once; saw %d calls", seen);           \
    } while (0)

int main()
{
    const std::size_t size = OPAQUE(std::size_t{100});
    void *block = nullptr;
    for (int i = 0; i < 3; i++) {
        REACHES(news, block = OPAQUE(::operator new(size)));
        REACHES(deletes, ::operator delete(block));
        REACHES(news, block = OPAQUE(::operator new[](size)));
        CHECK(last_size == 100, "operator new[](100) to ask for 100 bytes; saw %zu", last_size);
        REACHES(deletes, ::operator delete[](block));
        REACHES(news, block = OPAQUE(::operator new(size, std::nothrow)));
        REACHES(deletes, ::operator delete(block, std::nothrow));
        REACHES(news, block = OPAQUE(::operator new[](size, std::nothrow)));
        REACHES(deletes, ::operator delete[](block, std::nothrow));
        REACHES(news, block = OPAQUE(::operator new(size)));
        REACHES(deletes, ::operator delete(block, size));
        REACHES(news, block = OPAQUE(::operator new[](size)));
        REACHES(deletes, ::operator delete[](block, size));
    }
    /* The nothrow forms catch what the program's own function throws. */
    REACHES(news, block = OPAQUE(::operator new(OPAQUE(refused), std::nothrow)));
    CHECK(block == nullptr, "nothrow new to return nullptr when the program's own new throws; saw %p", block);
    REACHES(news, block = OPAQUE(::operator new[](OPAQUE(refused), std::nothrow)));
    CHECK(block == nullptr, "nothrow new[] to return nullptr when the program's own new throws; saw %p", block);
    bool caught = false;
    try {
        static_cast<void>(OPAQUE(::operator new[](OPAQUE(refused))));
    } catch (const Refused &) {
        caught = true;
    }
    CHECK(caught, "new[] to let through what the program's own new throws; saw nothing");

    /* Expressions and containers. A compiler may leave out pairs, but not these. */
    int before = OPAQUE(news);
    {
        std::unique_ptr<int[]> array(OPAQUE(new int[OPAQUE(std::size_t{50})]));
        std::vector<int> vector(OPAQUE(std::size_t{500}));
        static_cast<void>(OPAQUE(vector.data()));
        std::string string(OPAQUE(std::size_t{200}), 's');
        string.append(OPAQUE(std::size_t{5000}), 't');
        static_cast<void>(OPAQUE(string.data()));
        std::map<int, std::string> map;
        for (int i = 0; i < 50; i++) {
            map[i] = std::to_string(i) + " is a number whose name is too long for a small string";
        }
        auto shared = std::make_shared<std::string>("shared");
        static_cast<void>(OPAQUE(shared.get()));
    }
    CHECK(OPAQUE(news) - before >= 100, "containers to call the program's own operator new; saw %d calls", news - before);
    CHECK(OPAQUE(news) - OPAQUE(deletes) == 3, "as many deletes as news that succeeded; saw %d and %d", deletes, news - 3);

    /* The aligned forms are others, and none of these: they work, and pair up among themselves. */
    before = OPAQUE(news);
    block = OPAQUE(::operator new(size, std::align_val_t{256}));
    CHECK(block != nullptr && law_is_aligned(block, 256), "aligned new to be aligned; saw %p", block);
    law_fill(block, size, 1);
    ::operator delete(block, std::align_val_t{256});
    CHECK(OPAQUE(news) == before, "aligned new not to call operator new(size_t); saw it called");
    return 0;
}
