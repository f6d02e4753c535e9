// What the main thread leaves behind when its own objects are gone may be used and freed: by other threads, and by the destructors of static objects ([basic.start.term]; pthread_exit(3): the process goes on with its other threads).
#include "law.h"
#include <pthread.h>
#include <string>
#include <vector>

namespace {

pthread_t main_thread;
std::vector<std::string> left_behind;

void use_heap(const char *where)
{
    for (std::string &string : left_behind) {
        CHECK(string.find_first_not_of('x') == std::string::npos, "a string to be intact %s; saw other characters", where);
        string.append(500, 'x');
    }
    left_behind.emplace_back(3000, 'x');
}

void leave_behind(std::vector<std::string> &strings)
{
    strings.emplace_back(70000, 'x');
    for (std::string &string : strings) {
        left_behind.push_back(std::move(string));
    }
}

struct Owner {
    std::vector<std::string> strings;

    ~Owner() { leave_behind(strings); }
};

/* The process ends well here, and nowhere else. */
struct Last {
    ~Last()
    {
        use_heap("in the destructor of a static object");
        std::vector<std::string>().swap(left_behind);
        _exit(0);
    }
};

thread_local Owner owner;
Last last;

void end_of_key(void *value)
{
    auto *strings = static_cast<std::vector<std::string> *>(value);
    leave_behind(*strings);
    delete strings;
}

void *outlive(void *)
{
    CHECK(pthread_join(main_thread, nullptr) == 0, "the main thread to end; saw an error");
    CHECK(!left_behind.empty(), "the destructor of the main thread's key to run; saw nothing");
    use_heap("after the main thread");
    exit(1);
}

void end(bool by_exit)
{
    for (std::size_t i = 0; i < 100; i++) {
        owner.strings.emplace_back(i * 7, 'x');
    }
    if (by_exit) {
        exit(1);
    }
    /* When it calls pthread_exit(), glibc destroys no thread-local object of the main thread. */
    pthread_key_t key;
    CHECK(pthread_key_create(&key, end_of_key) == 0, "a key; saw an error");
    auto *strings = new std::vector<std::string>(owner.strings);
    CHECK(pthread_setspecific(key, strings) == 0, "a value for a key; saw an error");
    pthread_t thread;
    main_thread = pthread_self();
    CHECK(pthread_create(&thread, nullptr, outlive, nullptr) == 0, "a thread to start; saw an error");
    pthread_exit(nullptr);
}

} // namespace

int main()
{
    pid_t child = fork();
    CHECK(child >= 0, "a child; saw an error");
    if (child == 0) {
        law_watch(NULL, 10);
        end(true);
    }
    EXPECT_EXIT("a process whose static objects are destroyed", child, 0);
    /* Not in a child: under some versions of musl nobody can wait for the end of its first thread. */
    law_watch("the main thread's end and the process's", 15);
    end(false);
}
