/* A function of the C library, and a call of it after which all that it handed out is freed. */
#ifndef REACHES_H
#define REACHES_H

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct call {
    const char *name;
    void (*call)(void);
};

/* Each file ends its list with a NULL name. */
extern const struct call strings_and_files[], tables_and_databases[], of_glibc[], of_musl[];

/* A path that exists, is a folder and can be written to: the working directory of the test. */
#define HERE "."

/* By a name that headers hide behind a macro or do not declare; the program ends if there is none. */
void *lookup(const char *name);

/* Ends the program with words if a call did not do what it should: then it proves nothing. */
#define NEED(condition) need((condition), #condition, __FILE__, __LINE__)
void need(int holds, const char *condition, const char *file, int line);

#endif
