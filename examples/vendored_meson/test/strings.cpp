// Ordinary C++ that knows nothing of block_heap, except for asking whose malloc it has.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <dlfcn.h>

int main()
{
    std::vector<std::thread> threads;
    std::vector<std::size_t> lengths(4);
    for (std::size_t number = 0; number < lengths.size(); ++number)
        threads.emplace_back([number, &lengths] {
            std::map<std::string, std::unique_ptr<std::string>> words;
            for (int i = 0; i < 10000; ++i)
                words[std::to_string(i % 1000)] = std::make_unique<std::string>(std::size_t(i % 300), 'x');
            for (const auto &[key, value] : words)
                lengths[number] += key.size() + value->size();
        });
    for (auto &thread : threads)
        thread.join();

    Dl_info owner{};
    if (dladdr(reinterpret_cast<void *>(&std::malloc), &owner) == 0)
        return 2;
    std::printf("%zu characters, malloc is in %s\n", lengths[0], owner.dli_fname);
    return lengths[0] == lengths[3] && std::string(owner.dli_fname).find("block_heap") != std::string::npos ? 0 : 1;
}
