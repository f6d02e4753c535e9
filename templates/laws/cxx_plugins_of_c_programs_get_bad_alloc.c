// In a C program whose C++ plug-in was opened with RTLD_LOCAL, `new` that fails calls the plug-in's new-handler and throws std::bad_alloc, which the plug-in catches ([new.delete.single]/4; dlopen(3)).
//@ plugin = "throwing_plugin.cpp"
#include "law.h"

int main(int count, char **arguments)
{
    if (count < 2) {
        law_does_not_apply("no plug-in was given");
    }
    /* The heap is in use before there is any C++ runtime. */
    free(OPAQUE(malloc(100)));
    CHECK(OPAQUE(malloc(OPAQUE(SIZE_MAX - 100))) == NULL, "malloc(SIZE_MAX - 100) to fail; saw a block");
    void *plugin = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (plugin == NULL && law_lookup("gnu_get_libc_version") == 0) {
        law_does_not_apply("the C++ plug-in cannot be opened here");
    }
    CHECK(plugin != NULL, "the plug-in to open; saw %s", dlerror());
    if (law_lookup("_ZSt15get_new_handlerv") != 0) {
        /* Something else brought a C++ runtime along, an allocator written in C++ for one. The law holds then too. */
        puts("a C++ runtime is in the global scope");
    }
    int (*fail)(int, int) = (int (*)(int, int))(intptr_t)dlsym(plugin, "plugin_fail");
    int (*fail_quietly)(int, int) = (int (*)(int, int))(intptr_t)dlsym(plugin, "plugin_fail_quietly");
    int (*handler_throws)(int) = (int (*)(int))(intptr_t)dlsym(plugin, "plugin_handler_throws");
    size_t (*work)(void) = (size_t(*)(void))(intptr_t)dlsym(plugin, "plugin_work");
    CHECK(fail != NULL && fail_quietly != NULL && handler_throws != NULL && work != NULL, "the plug-in's functions; saw none");
    for (int form = 0; form < 4; form++) {
        static const int calls[] = {0, 1, 3};
        for (int i = 0; i < 3; i++) {
            int seen = fail(form, calls[i]);
            CHECK(seen == calls[i], "form %d of new in the plug-in to throw std::bad_alloc after %d calls of its handler; saw %d", form, calls[i],
                  seen);
            seen = fail_quietly(form, calls[i]);
            CHECK(seen == calls[i], "form %d of nothrow new in the plug-in to return nullptr after %d calls of its handler; saw %d", form,
                  calls[i], seen);
        }
        CHECK(handler_throws(form), "form %d of new in the plug-in to let its handler's exception through; saw another end", form);
        size_t sum = work();
        CHECK(sum == 499 * 500 / 2, "the plug-in to work on; saw %zu", sum);
    }
    return 0;
}
