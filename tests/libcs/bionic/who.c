/* A program for Android that tells who answers, and needs nothing but libc.so and libdl.so. */
#include <stddef.h>

struct place {
    const char *file;
    void *base;
    const char *symbol;
    void *address;
};

extern void *malloc(size_t size), *calloc(size_t count, size_t size), *aligned_alloc(size_t alignment, size_t size);
extern void free(void *block);
extern int dladdr(const void *address, struct place *place);
extern ptrdiff_t write(int file, const void *text, size_t size);
extern char *strrchr(const char *text, int character);
extern size_t strlen(const char *text);
extern void _exit(int status) __attribute__((noreturn));

static void say(const char *text)
{
    (void)!write(1, text, strlen(text));
}

static void tell(const char *name, void *address)
{
    struct place place;
    const char *file = dladdr(address, &place) && place.file ? strrchr(place.file, '/') : NULL;
    say(name);
    say(" ");
    say(file ? file + 1 : "?");
    say("\n");
}

__attribute__((force_align_arg_pointer, noreturn)) void _start(void)
{
    tell("malloc", (void *)&malloc);
    tell("calloc", (void *)&calloc);
    tell("aligned_alloc", (void *)&aligned_alloc);
    tell("free", (void *)&free);
    _exit(0);
}
