// Threads for the tests: the standard's, and on Windows the system's, for not every MinGW has the standard's there.
#ifndef HOARD_TEST_THREADS_HPP
#define HOARD_TEST_THREADS_HPP

#ifdef _WIN32
#include <functional>
#include <utility>

#include <windows.h>

class Thread {
public:
    explicit Thread(std::function<void()> work)
        : handle_(CreateThread(nullptr, 0, run, new std::function<void()>(std::move(work)), 0, nullptr))
    {
    }

    Thread(Thread &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}

    void join()
    {
        WaitForSingleObject(handle_, INFINITE);
        CloseHandle(handle_);
    }

private:
    static DWORD WINAPI run(void *work)
    {
        (*static_cast<std::function<void()> *>(work))();
        delete static_cast<std::function<void()> *>(work);
        return 0;
    }

    HANDLE handle_;
};

class Condition;

class Mutex {
public:
    void lock()
    {
        AcquireSRWLockExclusive(&lock_);
    }

    void unlock()
    {
        ReleaseSRWLockExclusive(&lock_);
    }

private:
    friend Condition;
    SRWLOCK lock_ = SRWLOCK_INIT;
};

class Condition {
public:
    template <typename Test>
    void wait(Mutex &mutex, Test holds)
    {
        while (!holds())
            SleepConditionVariableSRW(&changed_, &mutex.lock_, INFINITE, 0);
    }

    void notify_one()
    {
        WakeConditionVariable(&changed_);
    }

private:
    CONDITION_VARIABLE changed_ = CONDITION_VARIABLE_INIT;
};
#else
#include <condition_variable>
#include <mutex>
#include <thread>

using Thread = std::thread;
using Mutex = std::mutex;
using Condition = std::condition_variable_any;
#endif

#endif
