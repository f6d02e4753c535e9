// Objects with static storage duration may own memory from before main() until after it: their constructors and destructors allocate and free ([basic.start.static], [basic.start.term]).
#include "law.h"
#include <iostream>
#include <list>
#include <string>
#include <vector>

namespace {

int report = -1;

struct Owner {
    std::vector<std::string> strings;
    std::list<int *> numbers;

    Owner()
    {
        for (int i = 0; i < 100; i++) {
            strings.emplace_back(static_cast<std::size_t>(i) * 5, 'x');
            numbers.push_back(new int(i));
        }
    }

    ~Owner()
    {
        int expected = 0;
        for (int *number : numbers) {
            CHECK(*number == expected, "number %d to be intact in a destructor; saw %d", expected, *number);
            expected++;
            delete number;
        }
        for (std::string &string : strings) {
            CHECK(string.find_first_not_of('x') == std::string::npos, "a string to be intact in a destructor; saw other characters");
            string.append(1000, 'y');
        }
    }
};

struct Last {
    ~Last()
    {
        if (report >= 0) {
            CHECK(write(report, "!", 1) == 1, "to report; saw an error");
        }
    }
};

Last last;
Owner owner;
std::string text(300, 't');

Owner &local()
{
    static Owner owner_of_function;
    return owner_of_function;
}

} // namespace

int main()
{
    int ends[2];
    CHECK(pipe(ends) == 0, "a pipe; saw an error");
    pid_t child = fork();
    CHECK(child >= 0, "a child; saw an error");
    if (child == 0) {
        law_watch(NULL, 10);
        close(ends[0]);
        report = ends[1];
        local().strings.push_back(text);
        local().strings.back().assign(20, 'x');
        std::cerr << std::flush;
        exit(0);
    }
    close(ends[1]);
    char byte = 0;
    ssize_t got = read(ends[0], &byte, 1);
    EXPECT_EXIT("the process", child, 0);
    CHECK(got == 1 && byte == '!', "all destructors to run; saw them stop");
    return 0;
}
