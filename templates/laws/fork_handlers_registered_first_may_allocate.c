// Handlers of pthread_atfork() that were registered before any library was initialized may allocate and free too, before and after fork() (glibc locks its own heap after all of them; allocators that register handlers of their own break it).
//@ constructors = "ask-to-be-first"
#include "fork_handlers.h"

/* What is registered before every constructor runs last before fork(), and first after it. */
__attribute__((section(".preinit_array"), used))
static void (*const register_before_constructors)(void) = register_handlers;

int main(void)
{
    if (registered == 0) {
        law_does_not_apply("nothing runs before the libraries' constructors here");
    }
    return fork_with_handlers();
}
