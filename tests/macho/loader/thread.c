// Threads: Darwin's slots, keys, errno; pthread_create, exit, join and cancel.
//
// Code that inlines pthread_getspecific reads the slots through %gs on x86-64, which Linux lets a program
// set, and through tpidrro_el0 on arm64, which it does not: image.c rewrites the instruction to read
// tpidr_el0. There glibc has two words and then the program's thread-locals: `me`, the only one, so that
// slot n is where Darwin has it.
#define _GNU_SOURCE
#include "thread.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <asm/prctl.h>
#endif

__thread struct thread me;
unsigned thread_starts, thread_exits;

void **slots(void) {
#if defined(__aarch64__)
    return (void **)__builtin_thread_pointer();
#else
    return me.slots;
#endif
}

unsigned self(void) {
    return me.id;
}

int *darwin_errno(void) {
    return &me.error;
}

// The numbers below 35 agree but for two.
int to_darwin(int error) {
    return error == EAGAIN ? 35 : error == EDEADLK ? 11 : error == ENOSYS ? 78 : error;
}

void enter_thread(void) {
#if defined(__x86_64__)
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, me.slots) != 0) refuse("%%gs cannot be set");
    me.slots[0] = me.slots;
    me.slots[1] = &me.error;
#else
    if ((char *)slots() + 16 != (char *)&me) refuse("thread-locals do not begin behind glibc's two words");
#endif
    me.id = (unsigned)gettid();
    hand_over_signals();
}

// Keys. A destructor that sets its key again is called again, four times in all; a key without one loses its
// value in the first round, too (libpthread src/pthread_tsd.c, _pthread_tsd_cleanup_key).
static struct {
    _Atomic bool used;
    void (*destructor)(void *);
} keys[END_KEY];

int sys_pthread_key_create(unsigned long *key, void (*destructor)(void *)) {
    for (unsigned long i = FIRST_KEY; i < END_KEY; i++) {
        bool unused = false;
        if (!atomic_compare_exchange_strong(&keys[i].used, &unused, true)) continue;
        keys[i].destructor = destructor;
        *key = i;
        return 0;
    }
    return 35; // EAGAIN
}

int sys_pthread_key_delete(unsigned long key) {
    if (key < FIRST_KEY || key >= END_KEY || !keys[key].used) return EINVAL;
    keys[key].destructor = NULL;
    keys[key].used = false;
    return 0;
}

void *sys_pthread_getspecific(unsigned long key) {
    return key < END_KEY ? slots()[key] : NULL;
}

int sys_pthread_setspecific(unsigned long key, const void *value) {
    if (key < FIRST_KEY || key >= END_KEY || !keys[key].used) return EINVAL;
    slots()[key] = (void *)(uintptr_t)value;
    return 0;
}

static void run_destructors(void) {
    for (int round = 0; round < DESTRUCTOR_ROUNDS; round++) {
        for (unsigned key = FIRST_KEY; key < END_KEY; key++) {
            void *value = slots()[key];
            if (!value || !keys[key].used) continue;
            slots()[key] = NULL;
            if (keys[key].destructor) keys[key].destructor(value);
        }
    }
}

// What pthread_introspection_hook_install takes (<pthread/introspection.h>): START on the new thread
// before its function, TERMINATE after its keys' destructors.
typedef void hook_fn(unsigned event, struct life *thread, void *address, size_t size);
enum { HOOK_CREATE = 1, HOOK_START, HOOK_TERMINATE, HOOK_DESTROY };
static hook_fn *_Atomic hook;

hook_fn *sys_pthread_introspection_hook_install(hook_fn *new) {
    return atomic_exchange(&hook, new);
}

static void tell(unsigned event) {
    hook_fn *call = hook;
    if (call) call(event, me.life, &me, sizeof me);
}

// A thread, and one that a queue of libdispatch runs: that one never went through pthread_create, which
// a shim might have taken over.
struct birth {
    void *(*function)(void *);
    void *argument;
    struct life *life;
};
enum { MOST_THREADS = 256 };
static struct life lives[MOST_THREADS], first_life;

// A thread that nobody joins leaves its place when it has ended and is detached.
static void let_go(struct life *life) {
    if (atomic_exchange(&life->loose, true)) life->taken = false;
}

static void *live(void *argument) {
    struct birth birth = *(struct birth *)argument;
    free(argument);
    sigjmp_buf end;
    enter_thread();
    me.life = birth.life;
    __atomic_fetch_add(&thread_starts, 1, __ATOMIC_RELAXED);
    me.end = &end;
    if (sigsetjmp(end, 0) == 0) {
        tell(HOOK_START);
        me.result = birth.function(birth.argument);
    }
    me.uncancellable = true;
    run_destructors();
    tell(HOOK_TERMINATE);
    __atomic_fetch_add(&thread_exits, 1, __ATOMIC_RELAXED);
    let_go(birth.life);
    return me.result;
}

static int start_thread(
    struct life **thread, const pthread_attr_t *attributes, void *(*function)(void *), void *argument) {
    for (struct life *life = lives; life < lives + MOST_THREADS; life++) {
        bool no = false;
        if (!atomic_compare_exchange_strong(&life->taken, &no, true)) continue;
        life->cancel = false;
        life->loose = attributes != NULL; // those of queues are detached
        life->clean_up = NULL;
        struct birth *birth = malloc(sizeof *birth);
        *birth = (struct birth){function, argument, life};
        *thread = life;
        int error = pthread_create(&life->thread, attributes, live, birth);
        if (!error) return 0;
        free(birth);
        life->taken = false;
        return to_darwin(error);
    }
    return 35; // EAGAIN
}

int sys_pthread_create(struct life **thread, const void *attributes, void *(*function)(void *), void *argument) {
    if (attributes) fault("attributes of a thread are not modelled");
    return start_thread(thread, NULL, function, argument);
}

struct job {
    void (*work)(void *);
    void *context;
};

static void *run_job(void *argument) {
    struct job job = *(struct job *)argument;
    free(argument);
    job.work(job.context);
    return NULL;
}

void sys_dispatch_async_f(void *queue, void *context, void (*work)(void *)) {
    (void)queue;
    pthread_attr_t detached;
    struct life *thread;
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    struct job *job = malloc(sizeof *job);
    *job = (struct job){work, context};
    if (start_thread(&thread, &detached, run_job, job)) fault("no thread for a queue");
    pthread_attr_destroy(&detached);
}

void *sys_dispatch_get_global_queue(long priority, unsigned long flags) {
    static int queue;
    (void)priority, (void)flags;
    return &queue;
}

// Clean-up handlers run first, on the stack where they were pushed (libpthread src/pthread.c, _pthread_exit).
_Noreturn void sys_pthread_exit(void *result) {
    if (!me.end) fault("pthread_exit on the first thread is not modelled");
    me.result = result;
    me.uncancellable = true;
    for (struct handler *handler; (handler = me.life->clean_up);) {
        me.life->clean_up = handler->next;
        handler->function(handler->argument);
    }
    siglongjmp(*me.end, 1);
}

int sys_pthread_join(struct life *thread, void **result) {
    int error = pthread_join(thread->thread, result);
    if (!error) thread->taken = false;
    return to_darwin(error);
}

int sys_pthread_detach(struct life *thread) {
    int error = pthread_detach(thread->thread);
    if (!error) let_go(thread);
    return to_darwin(error);
}

// Cancellation is deferred: it takes place at pthread_testcancel and in the sleeping functions, and
// pthread_join then tells PTHREAD_CANCELED, which is 1 here (<pthread.h>).
int sys_pthread_cancel(struct life *thread) {
    if (!thread->taken) return ESRCH;
    thread->cancel = true;
    return 0;
}

void sys_pthread_testcancel(void) {
    if (!me.uncancellable && me.end && me.life->cancel) sys_pthread_exit((void *)1);
}

int sys_pthread_setcancelstate(int state, int *old) {
    if (old) *old = !me.uncancellable;
    me.uncancellable = state == 0; // PTHREAD_CANCEL_ENABLE is 1 here
    return 0;
}

int sys_usleep(unsigned microseconds) {
    const unsigned slice = 5000;
    sys_pthread_testcancel();
    for (unsigned slept = 0; slept < microseconds; slept += slice) {
        unsigned rest = microseconds - slept;
        nanosleep(&(struct timespec){.tv_nsec = (rest < slice ? rest : slice) * 1000L}, NULL);
        sys_pthread_testcancel();
    }
    return 0;
}

unsigned sys_sleep(unsigned seconds) {
    while (seconds--) sys_usleep(1000000);
    return 0;
}

struct life *sys_pthread_self(void) {
    return me.life ? me.life : &first_life;
}

int sys_pthread_equal(struct life *one, struct life *other) {
    return one == other;
}

int sys_pthread_main_np(void) {
    return !me.end;
}
