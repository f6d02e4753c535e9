// A plug-in opened with dlopen() uses the program's heap: each frees the other's blocks, and its blocks outlive it (dlopen(3), glibc manual "Replacing malloc").
//@ plugin = "allocating_plugin.c"
#include "law.h"

int main(int count, char **arguments)
{
    if (count < 2) {
        law_does_not_apply("no plug-in was given");
    }
    static const int modes[] = {RTLD_NOW | RTLD_LOCAL, RTLD_LAZY | RTLD_LOCAL, RTLD_NOW | RTLD_GLOBAL};
    for (int round = 0; round < 30; round++) {
        void *plugin = dlopen(arguments[1], modes[round % 3]);
        CHECK(plugin != NULL, "the plug-in to open; saw %s", dlerror());
        void *(*allocate)(size_t) = (void *(*)(size_t))(intptr_t)dlsym(plugin, "plugin_allocate");
        void *(*resize)(void *, size_t) = (void *(*)(void *, size_t))(intptr_t)dlsym(plugin, "plugin_resize");
        void (*release)(void *) = (void (*)(void *))(intptr_t)dlsym(plugin, "plugin_free");
        CHECK(allocate != NULL && resize != NULL && release != NULL, "the plug-in's functions; saw none");
        CHECK(dlsym(plugin, "no_such_function_exists_anywhere") == NULL && dlerror() != NULL, "dlerror() to tell; saw NULL");

        void *theirs[40], *ours[40];
        for (unsigned i = 0; i < 40; i++) {
            size_t size = 1 + i * i * 20;
            theirs[i] = allocate(size);
            ours[i] = OPAQUE(malloc(OPAQUE(size)));
            CHECK(ours[i] != NULL, "malloc(%zu) to succeed; saw NULL", size);
            law_fill(ours[i], size, i);
        }
        for (unsigned i = 0; i < 40; i++) {
            size_t size = 1 + i * i * 20;
            CHECK(law_intact(ours[i], size, i) == size, "the program's block to be intact; saw other bytes");
            if (i % 2) {
                ours[i] = resize(ours[i], size + 100);
                CHECK(ours[i] != NULL && law_intact(ours[i], size, i) == size, "the plug-in to resize the program's block; saw %p", ours[i]);
            }
            release(ours[i]);
        }
        CHECK(dlclose(plugin) == 0, "the plug-in to close; saw %s", dlerror());
        for (unsigned i = 0; i < 40; i++) {
            size_t size = 1 + i * i * 20;
            CHECK(law_intact(theirs[i], size, 5) == size, "the plug-in's block to outlive it; saw other bytes");
            if (i % 2) {
                theirs[i] = OPAQUE(realloc(theirs[i], OPAQUE(size + 100)));
                CHECK(theirs[i] != NULL && law_intact(theirs[i], size, 5) == size, "the plug-in's block to be resized; saw %p", theirs[i]);
            }
            free(theirs[i]);
        }
    }
    CHECK(dlopen("/no/such/plug-in.so", RTLD_NOW) == NULL && dlerror() != NULL, "dlerror() to tell; saw NULL");
    return 0;
}
