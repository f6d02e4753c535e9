/* What the cases of the probe share. Each case runs in a process of its own and writes lines:
 *
 *   try WHAT             what comes next may crash
 *   bad WHAT             a contract that was broken
 *   skip WHY             it cannot be tested
 *   got KEY VALUE        a measured value
 *   wrong SIZE WHAT      a request of that size was answered wrongly
 *   null FN SIZE ALIGNMENT KIND ERRNO   a request was refused
 *   done                 the case came to its end */
#ifndef ALLOC8_PROBE_H
#define ALLOC8_PROBE_H

#ifdef _WIN32
#define __USE_MINGW_ANSI_STDIO 1 /* %zu, whatever the C library is */
#endif

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#ifdef _WIN32
#define WIN32_LEAN_AND_MEAN
#include <io.h>
#include <windows.h>
#define PRINTF gnu_printf
#else
#include <unistd.h>
#define PRINTF printf
#endif

#include "heap.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Above this no block can be: user space ends before it on every machine that we know. */
#define NO_BLOCK_FROM (sizeof(void *) == 8 ? (size_t)1 << (8 * sizeof(void *) - 12) : (size_t)0xf0000000u)

/* Writes one line to standard output without allocating. */
void say(const char *format, ...) __attribute__((format(PRINTF, 1, 2)));
/* As `say("bad …")`, but only for the first few. */
void bad(const char *format, ...) __attribute__((format(PRINTF, 1, 2)));
void skip(const char *why);
/* How many times `bad` was called. */
unsigned badness(void);

/* Bytes of this process that are in memory (1) or in its address space (0). */
size_t process_bytes(int resident);

/* The same numbers in each run. */
uint32_t next_random(uint32_t *state);

/* A pattern that depends on the seed; `filled` tells whether it is still there. */
void fill(void *block, size_t size, unsigned seed);
bool filled(const void *block, size_t size, unsigned seed);

/* What may be used of a block that was asked for with `size`. */
size_t usable(void *block, size_t size);

/* Called first in a thread; runs thread_init when the cases are to run with it. */
void thread_begins(void);
void thread_ends(void);

void case_sizes(int count, char **sizes);
void case_exhaustion(void);
void case_calloc_overflow(void);
void case_zero_size(void);
void case_realloc_null(void);
void case_realloc_zero(void);
void case_usable_size_null(void);
void case_free_null(void);
void case_free_errno(void);

void case_min_align(void);
void case_max_align(void);
void case_natural_align(void);
void case_alignment_einval(void);
void case_argument_order(void);

void case_content(void);
void case_sized_free(void);
void case_good_size(void);

void case_threads(void);
void case_fork(void);
void case_owns(void);

#endif
