// Handlers of pthread_atfork() may allocate and free, before and after fork(), when the program registered them, in a constructor or later (pthread_atfork(3); glibc locks its own heap after all of them).
#include "fork_handlers.h"

__attribute__((constructor(101)))
static void register_in_constructor(void)
{
    register_handlers();
}

int main(void)
{
    register_handlers();
    return fork_with_handlers();
}
