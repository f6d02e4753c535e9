// Opened late, with a tuple that must do nothing.
#include "darwin.h"

static bool called;

static void *replacement(size_t size) {
    called = true;
    return malloc(size);
}

__attribute__((used, section("__DATA,__interpose"))) static const struct {
    void *(*replacement)(size_t);
    void *(*original)(size_t);
} tuple = {replacement, malloc};

__attribute__((visibility("default"))) void *late_malloc(size_t size) {
    return malloc(size);
}

__attribute__((visibility("default"))) bool late_replacement_was_called(void) {
    return called;
}
