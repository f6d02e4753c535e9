/* threads HOW POLICY LIBRARY: what a heap is told of threads (aware_heap.c), however they begin and end.
 * HOW: `early`, the library is there already; `late`, the program loads it; `within`, the heap is linked into the
 * program. MALLOC and FREE are the functions under test. */
#include <errno.h>
#include <process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#ifdef PTHREADS
#include <pthread.h>
#endif

#include "aware_heap.h"

#ifndef MALLOC
#define MALLOC malloc
#define FREE free
#endif
extern void *MALLOC(size_t size);
extern void FREE(void *ptr);

static unsigned checks, failures;

static void check(int holds, const char *law, const char *of)
{
    checks++;
    if (!holds) {
        failures++;
        printf("FAILED: %s %s\n", of, law);
    }
}

#ifdef WITHIN
extern unsigned aware_count(int what);
static unsigned (*count)(int what) = aware_count;
#else
static unsigned (*count)(int what);
#endif

static int required, late;

static void use(void)
{
    char *block = MALLOC(100);
    block[0] = 1;
    FREE(block);
}

static unsigned ended(void)
{
    return count(AWARE_CLEANUPS) - count(AWARE_AGAIN);
}

/* What a cleanup does may come after a thread that nobody can wait for: at most a minute, on a busy machine. What has
 * failed is not worth it, nor is a heap that was told of no thread. */
static int comes_to(unsigned number)
{
    int patience = failures == 0 && count(AWARE_INITS) != 0 ? 60000 : 50;
    for (int i = 0; i < patience && ended() != number; i++)
        Sleep(1);
    return ended() == number;
}

static unsigned inits, gone;

static void note(void)
{
    inits = count(AWARE_INITS);
    gone = ended();
}

/* Since note(): so many threads were introduced and seen off. */
static void expect(unsigned threads, const char *of)
{
    check(comes_to(gone + threads), "are seen off once", of);
    check(count(AWARE_INITS) == inits + threads, "are introduced once", of);
    check(count(AWARE_OUT_OF_TURN) == 0, "are told of in turn", of);
    check(count(AWARE_STRANGERS) == 0 || (late && !required), "call after they are introduced", of);
}

static DWORD WINAPI returns(void *argument)
{
    (void)argument;
    use();
    return 0;
}

static DWORD WINAPI exits(void *argument)
{
    (void)argument;
    use();
    ExitThread(0);
}

static DWORD WINAPI does_nothing(void *argument)
{
    (void)argument;
    return 0;
}

static void join(HANDLE thread)
{
    if (thread == NULL || WaitForSingleObject(thread, INFINITE) != WAIT_OBJECT_0)
        exit(3);
    CloseHandle(thread);
}

static void one(LPTHREAD_START_ROUTINE function, void *argument)
{
    join(CreateThread(NULL, 0, function, argument, 0, NULL));
}

static void of_windows(void)
{
    note();
    one(returns, NULL);
    expect(1, "threads that return");
    note();
    one(exits, NULL);
    expect(1, "threads that exit");
    note();
    one(does_nothing, NULL);
    expect(!required, "threads without the heap");
    HANDLE threads[40];
    note();
    for (int i = 0; i < 40; i++)
        threads[i] = CreateThread(NULL, 64 << 10, i % 2 == 0 ? returns : exits, NULL, 0, NULL);
    for (int i = 0; i < 40; i++)
        join(threads[i]);
    expect(40, "many threads");
}

static unsigned __stdcall crt_returns(void *argument)
{
    (void)argument;
    use();
    return 0;
}

static unsigned __stdcall crt_ends(void *argument)
{
    (void)argument;
    use();
    _endthreadex(0);
    return 0;
}

static void crt_alone(void *argument)
{
    (void)argument;
    use();
}

static void of_the_c_library(void)
{
    note();
    join((HANDLE)_beginthreadex(NULL, 0, crt_returns, NULL, 0, NULL));
    expect(1, "threads of _beginthreadex that return");
    note();
    join((HANDLE)_beginthreadex(NULL, 0, crt_ends, NULL, 0, NULL));
    expect(1, "threads that call _endthreadex");
    note();
    check(_beginthread(crt_alone, 0, NULL) != (uintptr_t)-1, "start", "threads of _beginthread");
    expect(1, "threads of _beginthread");
}

static void CALLBACK in_pool(PTP_CALLBACK_INSTANCE instance, void *argument, PTP_WORK work)
{
    (void)instance, (void)argument, (void)work;
    use();
}

static void of_a_pool(void)
{
    TP_CALLBACK_ENVIRON environment;
    TpInitializeCallbackEnviron(&environment);
    note();
    PTP_POOL pool = CreateThreadpool(NULL);
    SetThreadpoolThreadMaximum(pool, 1);
    SetThreadpoolCallbackPool(&environment, pool);
    PTP_WORK work = CreateThreadpoolWork(in_pool, NULL, &environment);
    for (int i = 0; i < 3; i++)
        SubmitThreadpoolWork(work);
    WaitForThreadpoolWorkCallbacks(work, FALSE);
    check(ended() == gone, "are not seen off between their tasks", "threads of a pool");
    CloseThreadpoolWork(work);
    CloseThreadpool(pool);
    expect(1, "threads of a pool");
}

#ifdef PTHREADS
static pthread_key_t key;

static void takes_away(void *value)
{
    use();
    FREE(value);
}

static void *posix(void *argument)
{
    pthread_setspecific(key, MALLOC(50));
    if (argument != NULL)
        pthread_exit(argument);
    return NULL;
}

static void of_posix(void)
{
    pthread_t thread;
    pthread_key_create(&key, takes_away);
    unsigned after = count(AWARE_AFTER);
    for (int exit = 0; exit < 2; exit++) {
        note();
        check(pthread_create(&thread, NULL, posix, exit ? &key : NULL) == 0, "start", "threads of winpthreads");
        pthread_join(thread, NULL);
        expect(1, exit ? "threads that call pthread_exit" : "threads of winpthreads that return");
    }
    note();
    check(pthread_create(&thread, NULL, posix, NULL) == 0 && pthread_detach(thread) == 0, "start", "detached threads");
    expect(1, "detached threads of winpthreads");
    check(count(AWARE_AFTER) == after, "are seen off after their keys' destructors", "threads of winpthreads");
}
#else
static void of_posix(void)
{
}
#endif

/* The values of fibers have callbacks, which come when a thread ends or a fiber is deleted, by whomever. */
static DWORD fls;
static void *first_fiber;

static void WINAPI deletes(void *value)
{
    use();
    FREE(value);
}

static void CALLBACK fiber(void *argument)
{
    (void)argument;
    FlsSetValue(fls, MALLOC(60));
    use();
    SwitchToFiber(first_fiber);
}

static DWORD WINAPI with_fibers(void *argument)
{
    (void)argument;
    FlsSetValue(fls, MALLOC(70));
    first_fiber = ConvertThreadToFiber(NULL);
    void *second = CreateFiber(0, fiber, NULL);
    SwitchToFiber(second);
    unsigned before = ended();
    DeleteFiber(second);
    check(ended() == before, "are not seen off when a fiber is deleted", "threads");
    use();
    return 0;
}

static void of_fibers(void)
{
    fls = FlsAlloc(deletes);
    unsigned after = count(AWARE_AFTER);
    note();
    one(with_fibers, NULL);
    expect(1, "threads with fibers");
    check(count(AWARE_AFTER) == after, "are seen off after their fibers' callbacks", "threads");
}

/* This program's own callbacks: the loader tells a library of ends before them, and a heap in the program after them. */
static int at_ends;

static void WINAPI tell(void *module, DWORD reason, void *reserved)
{
    (void)module, (void)reserved;
    if (count != NULL && at_ends && (reason == DLL_THREAD_ATTACH || reason == DLL_THREAD_DETACH)) {
        void *block = MALLOC(200);
        use();
        FREE(block);
    }
}

extern const char _tls_used;
const char *const needed = &_tls_used;
const PIMAGE_TLS_CALLBACK own_callback __attribute__((used, section(".CRT$XLM"))) = tell;

static void what_comes_after(int within)
{
    unsigned after = count(AWARE_AFTER), again = count(AWARE_AGAIN);
    at_ends = 1;
    note();
    one(returns, NULL);
    one(does_nothing, NULL);
    at_ends = 0;
    expect(2, "threads with callbacks of the program");
    if (within) {
        check(count(AWARE_AFTER) == after && count(AWARE_AGAIN) == again, "are seen off after its callbacks", "threads");
    } else if (required) {
        check(count(AWARE_AGAIN) > again, "come again for a call after their end", "threads");
    } else {
        check(count(AWARE_AFTER) > after && count(AWARE_AGAIN) == again, "are served after their end", "threads");
    }
    check(!required || count(AWARE_AFTER) == 0, "never call after their cleanup", "threads");
}

static DWORD WINAPI keeps_errors(void *argument)
{
    (void)argument;
    SetLastError(1234);
    errno = 57;
    use();
    check(GetLastError() == 1234 && errno == 57, "keep their last error", "first calls");
    use();
    check(GetLastError() == 1234 && errno == 57, "keep the last error", "calls");
    return 0;
}

static HANDLE ready, go;

static DWORD WINAPI waits(void *argument)
{
    int before = argument != NULL;
    if (!before)
        use();
    SetEvent(ready);
    WaitForSingleObject(go, INFINITE);
    use();
    return 0;
}

static void terminated(void)
{
    note();
    HANDLE thread = CreateThread(NULL, 0, waits, NULL, 0, NULL);
    WaitForSingleObject(ready, INFINITE);
    TerminateThread(thread, 0);
    join(thread);
    check(count(AWARE_INITS) == inits + 1 && ended() == gone, "are never seen off", "terminated threads");
}

/* Threads that are older than the library. */
static HANDLE older;

static void load(const char *library)
{
    older = CreateThread(NULL, 0, waits, &older, 0, NULL);
    WaitForSingleObject(ready, INFINITE);
    if (LoadLibraryA(library) == NULL)
        exit(4);
}

static void of_before(void)
{
    if (!late)
        return;
    note();
    SetEvent(go);
    join(older);
    expect(required, "threads from before the library");
}

static DWORD WINAPI last(void *first)
{
    WaitForSingleObject(first, INFINITE);
    check(comes_to(gone + 1), "is seen off if it exits", "the main thread");
    printf("threads: %u checks, %u failed\n", checks, failures);
    fflush(stdout);
    ExitProcess(failures != 0);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    setvbuf(stdout, NULL, _IONBF, 0);
    late = strcmp(argv[1], "late") == 0;
    required = strcmp(argv[2], "required") == 0;
    ready = CreateEventA(NULL, FALSE, FALSE, NULL);
    go = CreateEventA(NULL, FALSE, FALSE, NULL);
    if (late)
        load(argv[3]);
#ifndef WITHIN
    count = (unsigned (*)(int))(void *)GetProcAddress(GetModuleHandleA(argv[3]), "aware_count");
    if (count == NULL)
        return printf("threads: no heap that counts\n"), 5;
#endif
    use();
    check(count(AWARE_CREATED) == 1, "is set before there are several", "the flag for threads");
    check(count(AWARE_INITS) >= 1 && ended() == 0, "is introduced", "the main thread");
    of_windows();
    of_the_c_library();
    of_a_pool();
    of_posix();
    of_fibers();
    one(keeps_errors, NULL);
    what_comes_after(strcmp(argv[1], "within") == 0);
    of_before();
    terminated();
    HANDLE self;
    note();
    DuplicateHandle(GetCurrentProcess(), GetCurrentThread(), GetCurrentProcess(), &self, 0, FALSE, DUPLICATE_SAME_ACCESS);
    CreateThread(NULL, 0, last, self, 0, NULL);
    ExitThread(0);
}
