/* Threads, fork, and whose a pointer is. */
#include "probe.h"

#include <stdlib.h>
#ifdef _WIN32
typedef HANDLE thread_type;
#define WORK static DWORD WINAPI

static bool start(thread_type *thread, LPTHREAD_START_ROUTINE work, void *argument)
{
    *thread = CreateThread(NULL, 0, work, argument, 0, NULL);
    return *thread != NULL;
}

static void join(thread_type thread)
{
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
}
#else
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>

typedef pthread_t thread_type;
#define WORK static void *

static bool start(thread_type *thread, void *(*work)(void *), void *argument)
{
    return pthread_create(thread, NULL, work, argument) == 0;
}

static void join(thread_type thread)
{
    pthread_join(thread, NULL);
}
#endif

enum { THREADS = 8, ROUNDS = 10, HANDED = 64 };

struct work {
    thread_type thread;
    unsigned seed;
    void *given[HANDED]; /* by the main thread, freed by this one */
    void *made[HANDED];  /* by this one, freed by the main thread */
};

static void churn(uint32_t *random, unsigned count)
{
    struct {
        char *block;
        size_t size;
    } slots[32] = {{0}};
    for (unsigned i = 0; i < count; i++) {
        unsigned slot = next_random(random) % COUNT(slots);
        if (slots[slot].block != NULL) {
            if (!filled(slots[slot].block, slots[slot].size, slot))
                bad("a block of %zu bytes changed while threads allocate", slots[slot].size);
            alloc8_free(slots[slot].block);
        }
        size_t draw = next_random(random);
        size_t size = 1 + (draw % 64 == 0 ? draw % 100000 : draw % 1500);
        char *block = draw % 8 == 0 && ALLOC8_HAS_MEMALIGN ? alloc8_memalign(64, size) : alloc8_malloc(size);
        if (block == NULL) {
            bad("a thread's request of %zu bytes is refused", size);
            size = 0;
        }
        slots[slot].block = block;
        slots[slot].size = size;
        if (block != NULL)
            fill(block, size, slot);
    }
    for (unsigned i = 0; i < COUNT(slots); i++)
        if (slots[i].block != NULL)
            alloc8_free(slots[i].block);
}

WORK short_life(void *argument)
{
    struct work *work = argument;
    uint32_t random = work->seed;
    thread_begins();
    for (unsigned i = 0; i < HANDED; i++) {
        alloc8_free(work->given[i]);
        work->made[i] = alloc8_malloc(1 + i * 20);
    }
    churn(&random, 400);
    thread_ends();
    return 0;
}

void case_threads(void)
{
    static struct work works[THREADS];
    for (unsigned round = 0; round < ROUNDS; round++) {
        say("try %d threads, round %u", THREADS, round);
        for (unsigned i = 0; i < THREADS; i++) {
            works[i].seed = round * THREADS + i + 1;
            for (unsigned j = 0; j < HANDED; j++)
                works[i].given[j] = alloc8_malloc(1 + j * 30);
            if (!start(&works[i].thread, short_life, &works[i])) {
                skip("threads cannot be started");
                return;
            }
        }
        for (unsigned i = 0; i < THREADS; i++) {
            join(works[i].thread);
            for (unsigned j = 0; j < HANDED; j++)
                alloc8_free(works[i].made[j]);
        }
    }
}

#ifdef _WIN32
void case_fork(void)
{
    skip("there is no fork");
}
#else
static bool over;

WORK hammer(void *argument)
{
    uint32_t random = (uint32_t)(uintptr_t)argument;
    thread_begins();
    while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
        churn(&random, 200);
    return 0;
}

static void lock(void) { alloc8_malloc_lock(); }
static void unlock(void) { alloc8_malloc_unlock(); }
static void reinit(void) { alloc8_malloc_reinit(); }

/* Ends a child that hangs by SIGALRM, when it has come to count five seconds: where the machine is busy
 * elsewhere, one that only waits for its turn counts more slowly. */
static void tick(int number)
{
    static volatile sig_atomic_t seconds;
    seconds = seconds + 1;
    if (seconds >= 5) {
        signal(number, SIG_DFL);
        raise(number);
    }
}

static void child(void *inherited[16])
{
    const struct itimerval second = {{1, 0}, {1, 0}};
    signal(SIGALRM, tick);
    setitimer(ITIMER_REAL, &second, NULL);
    unsigned before = badness();
    for (unsigned i = 0; i < 16; i++)
        alloc8_free(inherited[i]);
    uint32_t random = 99;
    churn(&random, 300);
    _exit(badness() != before);
}

struct tally {
    unsigned hung, crashed, signal;
};

static bool reap(struct tally *tally)
{
    int status;
    if (wait(&status) < 0)
        return false;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        tally->hung++;
    } else if (status != 0) {
        tally->crashed++;
        tally->signal = WIFSIGNALED(status) ? (unsigned)WTERMSIG(status) : 0;
    }
    return true;
}

void case_fork(void)
{
    enum { FORKS = 100, AT_ONCE = 4, HAMMERS = 4 };
    thread_type threads[HAMMERS];
    struct tally tally = {0};
    unsigned forks = 0, running = 0;
    if (ALLOC8_HAS_MALLOC_LOCK)
        pthread_atfork(lock, unlock, ALLOC8_HAS_MALLOC_REINIT ? reinit : unlock);
    for (unsigned i = 0; i < HAMMERS; i++) {
        if (!start(&threads[i], hammer, (void *)(uintptr_t)(i + 1))) {
            skip("threads cannot be started");
            return;
        }
    }
    while (forks < FORKS && tally.hung + tally.crashed < 4) {
        void *inherited[16];
        for (unsigned i = 0; i < 16; i++)
            inherited[i] = alloc8_malloc(1 + i * 100);
        say("try fork %u", forks);
        pid_t pid = fork();
        if (pid < 0)
            break;
        if (pid == 0)
            child(inherited);
        forks++;
        for (unsigned i = 0; i < 16; i++)
            alloc8_free(inherited[i]);
        if (++running == AT_ONCE && reap(&tally))
            running--;
    }
    while (reap(&tally)) {
    }
    say("got forks %u", forks);
    say("got hung %u", tally.hung);
    say("got crashed %u", tally.crashed);
    say("got signal %u", tally.signal);
    __atomic_store_n(&over, true, __ATOMIC_RELAXED);
    say("try to end the threads after %u forks", forks);
    for (unsigned i = 0; i < HAMMERS; i++)
        join(threads[i]);
}
#endif

/* Memory of the program's own, straight from the system; NULL if there is none. */
static char *map(size_t size)
{
#ifdef _WIN32
    return VirtualAlloc(NULL, size, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
#else
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
#endif
}

static void unmap(char *memory, size_t size)
{
#ifdef _WIN32
    (void)size;
    VirtualFree(memory, 0, MEM_RELEASE);
#else
    munmap(memory, size);
#endif
}

static void expect(const char *what, const void *pointer, bool expected)
{
    say("try owns(%s)", what);
    bool answer = alloc8_owns(pointer) != 0;
    if (answer != expected)
        bad("owns(%s) is %s", what, answer ? "true" : "false");
}

void case_owns(void)
{
    static char global[4096];
    char local[64];
    if (!ALLOC8_HAS_OWNS) {
        skip("there is no owns");
        return;
    }
    expect("a global before the first allocation", global, false);
    for (size_t size = 1; size <= (size_t)64 << 20; size *= 4) {
        char what[64];
        void *block = alloc8_malloc(size);
        snprintf(what, sizeof what, "a block of %zu bytes", size);
        if (block == NULL)
            continue;
        expect(what, block, true);
        alloc8_free(block);
    }
    for (size_t alignment = 16; ALLOC8_HAS_MEMALIGN && alignment <= 4096; alignment *= 4) {
        void *block = alloc8_memalign(alignment, 100);
        if (block == NULL)
            continue;
        expect("an aligned block", block, true);
        alloc8_free(block);
    }
    expect("the stack", local, false);
    expect("a global", global + 16, false);
    expect("a page of globals", (void *)(((uintptr_t)global + 4095) & ~(uintptr_t)4095), false);
    expect("a string literal", "text", false);
    for (size_t size = 4096; size <= (size_t)64 << 20; size *= 16) {
        char *own = map(size);
        if (own == NULL)
            continue;
        expect("a mapping of the program's own", own, false);
        expect("the middle of a mapping of the program's own", own + size / 2, false);
        unmap(own, size);
    }
    /* The C library's heap, which is another one in this program. */
    char *text = strdup("text");
    if (text != NULL)
        expect("a block of another heap", text, false);
#ifdef _WIN32
    /* What owns denies goes to the C library, and free(NULL) too. */
    expect("NULL", NULL, false);
#else
    /* Not judged, for the shim answers it: but it must not crash. */
    say("try owns(NULL)");
    (void)alloc8_owns(NULL);
#endif
}
