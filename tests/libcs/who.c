/* Tells who answers: the object to which this program's own references are bound. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tell(const char *name, uintptr_t address)
{
    Dl_info info;
    int found = dladdr((void *)address, &info);
    const char *file = found && info.dli_fname ? strrchr(info.dli_fname, '/') : NULL;
    printf("%s %s\n", name, file ? file + 1 : "?");
}

int main(void)
{
    tell("malloc", (uintptr_t)&malloc);
    tell("calloc", (uintptr_t)&calloc);
    tell("realloc", (uintptr_t)&realloc);
    tell("free", (uintptr_t)&free);
    tell("posix_memalign", (uintptr_t)&posix_memalign);
    tell("aligned_alloc", (uintptr_t)&aligned_alloc);
    return 0;
}
