// Tuples for fork, for heaps that are no registered zone: they call the originals, or the system's own zones
// would stay unlocked.
#pragma once
#include "heap.h"

static void fork_prepare(void) {
    lock();
    _malloc_fork_prepare();
}

static void fork_parent(void) {
    _malloc_fork_parent();
    unlock();
}

static void fork_child(void) {
    _malloc_fork_child();
    heap.lock = 0;
}

#define FORK_TUPLES \
    TUPLE(fork_prepare, _malloc_fork_prepare) TUPLE(fork_parent, _malloc_fork_parent) \
    TUPLE(fork_child, _malloc_fork_child)
