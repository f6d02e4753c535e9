// What a thread of Darwin's has, and the system's functions that the parts share.
#pragma once
#include "loader.h"
#include <pthread.h>
#include <setjmp.h>

// Darwin's slots: 0 is the thread itself, 1 where errno is, up to 255 the system's own, then those that
// pthread_key_create gives (libpthread src/internal.h).
enum { FIRST_KEY = 256, END_KEY = 768, DESTRUCTOR_ROUNDS = 4 };

// What a program holds of a thread: <pthread.h> has its macros push clean-up handlers into the second word.
struct handler {
    void (*function)(void *);
    void *argument;
    struct handler *next;
};
struct life {
    long signature;
    struct handler *clean_up;
    pthread_t thread;
    _Atomic bool taken, cancel, loose;
};

struct thread {
#if defined(__aarch64__)
    void *slots[END_KEY - 2]; // from 2 on: 0 and 1 are glibc's two words in front of the thread-locals
#else
    void *slots[END_KEY];
#endif
    int error;
    unsigned id;
    unsigned tlv_depth; // set-ups of thread-locals that wait for the allocation of their storage
    bool uncancellable;
    void *result;
    struct life *life;
    sigjmp_buf *end; // where pthread_exit goes; NULL on the first thread
} __attribute__((aligned(16)));
extern __thread struct thread me; // the program's only thread-local: thread.c says why

void *sys_pthread_getspecific(unsigned long key);
int sys_pthread_setspecific(unsigned long key, const void *value);
int sys_pthread_key_create(unsigned long *key, void (*destructor)(void *));
int sys_pthread_key_delete(unsigned long key);

typedef uint32_t os_unfair_lock;
void sys_os_unfair_lock_lock(os_unfair_lock *lock);
bool sys_os_unfair_lock_trylock(os_unfair_lock *lock);
void sys_os_unfair_lock_unlock(os_unfair_lock *lock);

int to_darwin(int error); // an errno of Linux's
