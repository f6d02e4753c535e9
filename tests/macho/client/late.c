// A library that comes late: bound to what is interposed; its own tuples, and dlsym, as dyld has them.
#include "check.h"

void late_laws(const char *library) {
    void *handle = dlopen(library, 2);
    check(handle != NULL, "a_library_opens");
    if (!handle) return;
    void *(*allocate)(size_t) = (void *(*)(size_t))dlsym(handle, "late_malloc");
    bool (*called)(void) = (bool (*)(void))dlsym(handle, "late_replacement_was_called");
    check(allocate && called, "its_functions_are_found");
    void *block = allocate(100);
    check(ours(block), "a_late_library_takes_from_the_expected_zone");
    free(block);
    check(!called(), "a_late_librarys_tuples_do_nothing");
    void *(*found)(size_t) = (void *(*)(size_t))dlsym((void *)-2, "malloc");
    block = found(100);
    check(ours(block), "dlsym_finds_the_replacement");
    free(block);
}
