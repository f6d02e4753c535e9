// Locks as Darwin has them. os_unfair_lock knows its owner (libplatform src/os/lock.c): who takes a lock
// that it has, or gives back one that it has not, is ended. So a child of fork, whose thread is another
// one, can make a lock anew but not give it back.
#define _GNU_SOURCE
#include "thread.h"
#include <errno.h>
#include <sched.h>
#include <time.h>

static bool try(uint32_t *word) {
    uint32_t nobody = 0;
    return __atomic_compare_exchange_n(word, &nobody, me.id, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void pause_a_little(unsigned *spins) {
    if (++*spins < 50) sched_yield();
    else nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
}

void sys_os_unfair_lock_lock(os_unfair_lock *lock) {
    for (unsigned spins = 0; !try(lock); pause_a_little(&spins))
        if (__atomic_load_n(lock, __ATOMIC_RELAXED) == me.id)
            fault("BUG IN CLIENT OF LIBPLATFORM: Trying to recursively lock an os_unfair_lock");
}

void sys_os_unfair_lock_lock_with_options(os_unfair_lock *lock, uint32_t options) {
    (void)options;
    sys_os_unfair_lock_lock(lock);
}

bool sys_os_unfair_lock_trylock(os_unfair_lock *lock) {
    return try(lock);
}

void sys_os_unfair_lock_unlock(os_unfair_lock *lock) {
    if (__atomic_load_n(lock, __ATOMIC_RELAXED) != me.id)
        fault("BUG IN CLIENT OF LIBPLATFORM: Unlock of an os_unfair_lock not owned by current thread");
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

void sys_os_unfair_lock_assert_owner(const os_unfair_lock *lock) {
    if (__atomic_load_n(lock, __ATOMIC_RELAXED) != me.id)
        fault("BUG IN CLIENT OF LIBPLATFORM: Lock unexpectedly not owned by current thread");
}

void sys_os_unfair_lock_assert_not_owner(const os_unfair_lock *lock) {
    if (__atomic_load_n(lock, __ATOMIC_RELAXED) == me.id)
        fault("BUG IN CLIENT OF LIBPLATFORM: Lock unexpectedly owned by current thread");
}

// Darwin's mutex: 8 bytes that tell what it is, 56 more (<sys/_pthread/_pthread_types.h>). A normal one
// has no owner to check: fork's child may give back what its parent's thread took.
enum { MUTEX_STATIC = 0x32AAABA7, MUTEX_MADE = 0x4D555458 };
struct mutex {
    long signature;
    uint32_t word;
    char rest[52];
};

static int usable(const struct mutex *mutex) {
    return mutex->signature == MUTEX_STATIC || mutex->signature == MUTEX_MADE ? 0 : EINVAL;
}

int sys_pthread_mutex_init(struct mutex *mutex, const void *attributes) {
    if (attributes) return EINVAL; // recursive and checking ones are not modelled
    *mutex = (struct mutex){.signature = MUTEX_MADE};
    return 0;
}

int sys_pthread_mutex_destroy(struct mutex *mutex) {
    if (usable(mutex)) return EINVAL;
    if (mutex->word) return EBUSY;
    mutex->signature = 0;
    return 0;
}

int sys_pthread_mutex_lock(struct mutex *mutex) {
    if (usable(mutex)) return EINVAL;
    for (unsigned spins = 0; !try(&mutex->word);) pause_a_little(&spins);
    return 0;
}

int sys_pthread_mutex_trylock(struct mutex *mutex) {
    return usable(mutex) ? EINVAL : try(&mutex->word) ? 0 : EBUSY;
}

int sys_pthread_mutex_unlock(struct mutex *mutex) {
    if (usable(mutex)) return EINVAL;
    __atomic_store_n(&mutex->word, 0, __ATOMIC_RELEASE);
    return 0;
}

// pthread_once_t: what it is, and whether it is done.
enum { ONCE_STATIC = 0x30B1BCBA };
struct once {
    long signature;
    uint32_t owner, done;
};

int sys_pthread_once(struct once *once, void (*function)(void)) {
    if (once->signature != ONCE_STATIC) return EINVAL;
    if (__atomic_load_n(&once->done, __ATOMIC_ACQUIRE)) return 0;
    for (unsigned spins = 0; !try(&once->owner);) pause_a_little(&spins);
    if (!once->done) {
        function();
        __atomic_store_n(&once->done, 1, __ATOMIC_RELEASE);
    }
    __atomic_store_n(&once->owner, 0, __ATOMIC_RELEASE);
    return 0;
}
