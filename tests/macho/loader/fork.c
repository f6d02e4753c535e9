// fork (Libsystem init.c, libSystem_atfork_prepare): the handlers of pthread_atfork, latest first, then
// libmalloc's, reached by its public names; parent and child the other way round.
#define _GNU_SOURCE
#include "thread.h"
#include "zones.h"
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_HANDLERS = 64 };
static struct {
    void (*prepare)(void), (*parent)(void), (*child)(void);
} handlers[MOST_HANDLERS];
static unsigned handler_count;

int sys_pthread_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void)) {
    if (handler_count == MOST_HANDLERS) return 12; // ENOMEM
    handlers[handler_count].prepare = prepare;
    handlers[handler_count].parent = parent;
    handlers[handler_count++].child = child;
    return 0;
}

int sys_fork(void) {
    for (unsigned i = handler_count; i-- > 0;)
        if (handlers[i].prepare) handlers[i].prepare();
    PATCHED(sys_malloc_fork_prepare)();
    pid_t child = fork();
    int error = errno;
    if (child == 0) {
        me.id = (unsigned)gettid();
        alarm(WATCHDOG);
        PATCHED(sys_malloc_fork_child)();
    } else {
        PATCHED(sys_malloc_fork_parent)();
    }
    for (unsigned i = 0; i < handler_count; i++) {
        void (*handler)(void) = child == 0 ? handlers[i].child : handlers[i].parent;
        if (handler) handler();
    }
    if (child < 0) *darwin_errno() = to_darwin(error);
    return child;
}

// <sys/signal.h>: SIGKILL is 9 here too, SIGSTOP 17. No program needs another one.
static int to_linux(int number) {
    return number == 17 ? SIGSTOP : number == 9 ? SIGKILL : -1;
}

int sys_raise(int number) {
    return raise(to_linux(number));
}

int sys_kill(int process, int number) {
    return kill(process, to_linux(number));
}

// The status words agree.
int sys_waitpid(int child, int *status, int options) {
    pid_t waited;
    do waited = waitpid(child, status, options);
    while (waited < 0 && errno == EINTR);
    if (waited < 0) *darwin_errno() = to_darwin(errno);
    return waited;
}
