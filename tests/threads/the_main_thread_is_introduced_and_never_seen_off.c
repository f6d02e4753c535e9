// The main thread is introduced before main, or by its first call, and a program that ends has no use for its cleanup: exit handlers still use the heap.
#include "aware.h"

static void at_end(void)
{
    use();
    CHECK(count(CLEANUPS) == 0, "no cleanup of the main thread; saw %u", count(CLEANUPS));
    CHECK(count(INITS) == 1, "one thread; saw %u", count(INITS));
}

__attribute__((destructor)) static void at_the_very_end(void)
{
    at_end();
}

int main(void)
{
    if (is_required()) {
        use();
    }
    CHECK(count(INITS) == 1, "the main thread to be introduced; saw %u", count(INITS));
    CHECK(count(CREATED) == WITHIN, "no threads; saw the flag set");
    atexit(at_end);
    use();
    return 0;
}
