// fork while other threads allocate: the child has a heap that works.
#include "check.h"

enum { FORKS = 8 };
static _Atomic bool stop;

static void *busy(void *argument) {
    while (!stop) {
        void *block = malloc(300), *other = malloc(5000);
        free(block);
        free(other);
    }
    return argument;
}

static int child(void) {
    for (unsigned i = 0; i < 50; i++) {
        char *block = malloc(10 + i * 50);
        if (!ours(block)) return 1;
        memset(block, 'c', 10);
        block = realloc(block, 9000);
        if (!block || !filled(block, 'c', 10)) return 2;
        free(block);
    }
    int status = 0, grandchild = fork();
    if (grandchild == 0) {
        free(malloc(100));
        _exit(0);
    }
    return grandchild > 0 && waitpid(grandchild, &status, 0) == grandchild ? status : 3;
}

void fork_laws(void) {
    pthread_t thread;
    unsigned good = 0;
    char *before = malloc(100);
    memset(before, 'p', 100);
    pthread_create(&thread, NULL, busy, NULL);
    for (unsigned i = 0; i < FORKS; i++) {
        int status = -1, id = fork();
        if (id == 0) {
            int result = filled(before, 'p', 100) ? child() : 4;
            free(before);
            _exit(result);
        }
        good += id > 0 && waitpid(id, &status, 0) == id && status == 0;
    }
    stop = true;
    pthread_join(thread, NULL);
    check(good == FORKS, "a_childs_heap_works");
    free(before);
    check(ours(before = malloc(10)), "the_parents_too");
    free(before);
}
