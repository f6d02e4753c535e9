/* What the programs share: what the heap thread_aware.c says of threads, if it is this process's.
 * ADVISORY and REQUIRED are the policies of its two descriptions. With AWARE_WITHIN the heap is linked
 * into the program, where each call looks, and nobody tells of new threads. */
#ifndef AWARE_H
#define AWARE_H

#include "law.h"

#include <pthread.h>

enum { INITS, CLEANUPS, AGAIN, AFTER, BLOCKS, CREATED };

static int is_required(void)
{
    const char *policy = getenv("AWARE_POLICY");
    return policy != NULL && strcmp(policy, "required") == 0;
}

#ifdef AWARE_WITHIN
enum { WITHIN = 1 };
extern unsigned aware_count(int what);
extern unsigned aware_nest;
#else
enum { WITHIN = 0 };
#endif

__attribute__((unused))
static unsigned *how_many_nest(void)
{
#ifdef AWARE_WITHIN
    return &aware_nest;
#else
    return (unsigned *)law_lookup("aware_nest");
#endif
}

static unsigned count(int what)
{
#ifndef AWARE_WITHIN
    typedef unsigned counter(int what);
    static counter *aware_count;
    if (aware_count == NULL) {
        aware_count = (counter *)law_lookup("aware_count");
        CHECK(aware_count != NULL, "the heap that counts threads; saw another");
    }
#endif
    return aware_count(what);
}

/* Waits for what another thread does after it can no longer be joined. */
__attribute__((unused))
static int comes_to(int what, unsigned number)
{
    for (int i = 0; i < 5000; i++) {
        if (count(what) == number) {
            return 1;
        }
        usleep(1000);
    }
    return 0;
}

/* The heap is used, as in every thread. */
__attribute__((unused))
static void use(void)
{
    free(OPAQUE(malloc(100)));
}

static unsigned inits_before, cleanups_before;

__attribute__((unused))
static void note(void)
{
    use();
    inits_before = count(INITS);
    cleanups_before = count(CLEANUPS) - count(AGAIN);
}

/* Since note(): as many threads were introduced and seen off. What comes after a cleanup introduces
 * the thread again for that one call. */
__attribute__((unused))
static void expect(unsigned threads)
{
    CHECK(count(INITS) - inits_before == threads, "%u threads to be introduced; saw %u", threads, count(INITS) - inits_before);
    unsigned ended = count(CLEANUPS) - count(AGAIN) - cleanups_before;
    CHECK(ended == threads, "%u threads to be seen off; saw %u", threads, ended);
    CHECK(!is_required() || count(AFTER) == 0, "no call after a cleanup; saw %u", count(AFTER));
}

#endif
