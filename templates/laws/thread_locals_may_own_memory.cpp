// Objects with thread storage duration may own memory: it is allocated and freed while their thread ends ([basic.stc.thread], [basic.start.term]).
#include "law.h"
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

int ended;

struct Owner {
    std::vector<std::unique_ptr<std::string>> strings;
    std::map<int, std::string> names;

    void add(int number)
    {
        strings.push_back(std::make_unique<std::string>(static_cast<std::size_t>(number), 'x'));
        names[number] = "a name that is too long for the small string " + std::to_string(number);
    }

    ~Owner()
    {
        for (int i = 0; i < 50; i++) {
            add(i * 3);
        }
        for (const auto &string : strings) {
            CHECK(string->find_first_not_of('x') == std::string::npos, "a thread's string to be intact; saw other characters");
        }
        __atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
    }
};

thread_local Owner owner;
thread_local std::string plain;

} // namespace

int main()
{
    constexpr int waves = 60, wave = 5;
    for (int i = 0; i < waves; i++) {
        std::vector<std::thread> threads;
        for (int j = 0; j < wave; j++) {
            threads.emplace_back([j] {
                plain.assign(200, 'p');
                for (int k = 0; k < 20; k++) {
                    owner.add(k * 10 + j);
                }
            });
        }
        for (auto &thread : threads) {
            thread.join();
        }
    }
    CHECK(ended == waves * wave, "%d destructors to run; saw %d", waves * wave, ended);
    owner.add(1);
    return 0;
}
