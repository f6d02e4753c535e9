/* Counts the instructions of calls into a library: the processor itself stops after each. */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRAP_FLAG "0x100"

static volatile long instructions;

static void count(int signal)
{
    (void)signal;
    instructions++;
}

typedef size_t function(size_t, size_t, size_t);

/* Noinline, so that every count is off by the same. */
static __attribute__((noinline)) long run(function *call, const size_t *arguments)
{
    instructions = 0;
    __asm__ volatile("pushfq; orq $" TRAP_FLAG ", (%%rsp); popfq" ::: "memory", "cc");
    call(arguments[0], arguments[1], arguments[2]);
    __asm__ volatile("pushfq; andq $~" TRAP_FLAG ", (%%rsp); popfq" ::: "memory", "cc");
    return instructions;
}

static function *find(void *library, const char *name)
{
    void *address = dlsym(library, name);
    if (address == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
    return (__extension__(function *)address);
}

/* Lines of "NAME FUNCTION ARGUMENT ARGUMENT ARGUMENT": what a call of the library's NAME costs beyond
 * one of the heap's FUNCTION. */
int main(int words, char **word)
{
    static char block[64];
    void *library = words == 3 ? dlopen(word[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    void *heap = words == 3 ? dlopen(word[2], RTLD_NOW | RTLD_LOCAL) : NULL;
    char name[128], inner[128], text[3][32];
    if (library == NULL || heap == NULL) {
        fprintf(stderr, "%s\n", words == 3 ? dlerror() : "usage: count LIBRARY HEAP");
        return 2;
    }
    signal(SIGTRAP, count);
    while (scanf("%127s %127s %31s %31s %31s", name, inner, text[0], text[1], text[2]) == 5) {
        function *outer = find(library, name), *own = find(heap, inner);
        size_t arguments[3];
        for (int i = 0; i < 3; i++)
            arguments[i] = strcmp(text[i], "block") == 0 ? (size_t)block : strtoul(text[i], NULL, 0);
        run(outer, arguments); /* the first call may do what no other does */
        printf("%s %ld\n", name, run(outer, arguments) - run(own, arguments));
    }
    return 0;
}
