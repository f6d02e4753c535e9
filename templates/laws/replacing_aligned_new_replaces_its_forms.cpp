// A program that replaces only operator new(size_t, align_val_t) and its delete gets all calls of the aligned array, nothrow and sized forms too ([new.delete.single]/6, /10; [new.delete.array]).
//@ flags_clang = ["-fsized-deallocation"]
//@ repeat_builds = [["-O0"], ["-O2"], ["-O2", "-Wl,-Bsymbolic-functions"], ["-O2", "-flto"], ["-O2", "-rdynamic"], ["-O2", "-fno-semantic-interposition"], ["-O2", "-fno-plt", "-Wl,-z,now"]]
#include "law.h"
#include <list>
#include <memory>
#include <new>
#include <vector>

#if defined __GNUC__ && !defined __clang__
#pragma GCC diagnostic ignored "-Wsized-deallocation"
#endif

namespace {

int news, deletes;
std::size_t last_size, last_alignment;
constexpr std::size_t refused = 123456789;
constexpr int most = 4096;

/* What comes from these functions goes back to them. */
void *live[most];

struct Refused : std::bad_alloc {
};

} // namespace

void *operator new(std::size_t size, std::align_val_t alignment)
{
    news++;
    last_size = size;
    last_alignment = static_cast<std::size_t>(alignment);
    if (size == refused) {
        throw Refused();
    }
    void *block = nullptr;
    if (posix_memalign(&block, last_alignment < sizeof(void *) ? sizeof(void *) : last_alignment, size) != 0) {
        throw std::bad_alloc();
    }
    block = OPAQUE(block);
    for (void *&slot : live) {
        if (slot == nullptr) {
            return slot = block;
        }
    }
    throw std::bad_alloc();
}

void operator delete(void *block, std::align_val_t) noexcept
{
    deletes++;
    if (block == nullptr) {
        return;
    }
    for (void *&slot : live) {
        if (slot == block) {
            slot = nullptr;
            free(OPAQUE(block));
            return;
        }
    }
    CHECK(false, "aligned operator delete to get what aligned operator new returned; saw another block, %p", block);
}

#define REACHES(counter, call)                                                                            \
    do {                                                                                                  \
        const int before = counter;                                                                       \
        call;                                                                                             \
        const int seen = OPAQUE(counter) - before;                                                        \
        CHECK(seen == 1, #call " to call the program's own function once; saw %d calls", seen);           \
    } while (0)

namespace {

struct alignas(128) Aligned {
    char bytes[128];
};

} // namespace

int main()
{
    const std::size_t size = OPAQUE(std::size_t{100});
    const auto align = std::align_val_t{256};
    void *block = nullptr;
    for (int i = 0; i < 3; i++) {
        REACHES(news, block = OPAQUE(::operator new(size, align)));
        REACHES(deletes, ::operator delete(block, align));
        REACHES(news, block = OPAQUE(::operator new[](size, align)));
        CHECK(last_size == 100 && last_alignment == 256, "operator new[](100, 256) to ask for these; saw %zu, %zu", last_size, last_alignment);
        REACHES(deletes, ::operator delete[](block, align));
        REACHES(news, block = OPAQUE(::operator new(size, align, std::nothrow)));
        REACHES(deletes, ::operator delete(block, align, std::nothrow));
        REACHES(news, block = OPAQUE(::operator new[](size, align, std::nothrow)));
        REACHES(deletes, ::operator delete[](block, align, std::nothrow));
        REACHES(news, block = OPAQUE(::operator new(size, align)));
        REACHES(deletes, ::operator delete(block, size, align));
        REACHES(news, block = OPAQUE(::operator new[](size, align)));
        REACHES(deletes, ::operator delete[](block, size, align));
    }
    REACHES(news, block = OPAQUE(::operator new(OPAQUE(refused), align, std::nothrow)));
    CHECK(block == nullptr, "nothrow new to return nullptr when the program's own new throws; saw %p", block);
    REACHES(news, block = OPAQUE(::operator new[](OPAQUE(refused), align, std::nothrow)));
    CHECK(block == nullptr, "nothrow new[] to return nullptr when the program's own new throws; saw %p", block);

    int before = OPAQUE(news);
    {
        std::unique_ptr<Aligned[]> array(OPAQUE(new Aligned[OPAQUE(std::size_t{5})]));
        std::unique_ptr<Aligned> object(OPAQUE(new Aligned));
        std::vector<Aligned> vector(OPAQUE(std::size_t{50}));
        static_cast<void>(OPAQUE(vector.data()));
        std::list<Aligned> list(OPAQUE(std::size_t{20}));
        static_cast<void>(OPAQUE(&list.front()));
    }
    CHECK(OPAQUE(news) - before >= 23, "containers to call the program's own aligned new; saw %d calls", news - before);
    CHECK(OPAQUE(news) - OPAQUE(deletes) == 2, "as many deletes as news that succeeded; saw %d and %d", deletes, news - 2);

    before = OPAQUE(news);
    block = OPAQUE(::operator new(size));
    law_fill(block, size, 1);
    ::operator delete(block);
    block = OPAQUE(::operator new[](size, std::nothrow));
    CHECK(block != nullptr, "plain nothrow new[] to succeed; saw nullptr");
    ::operator delete[](block, size);
    CHECK(OPAQUE(news) == before, "plain new not to call the aligned one; saw it called");
    return 0;
}
