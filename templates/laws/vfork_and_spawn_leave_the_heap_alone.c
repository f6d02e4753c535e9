// vfork() with exec and posix_spawn() work while threads use the heap, and leave the parent's heap as it was (vfork(2), posix_spawn(3): no fork handler runs).
#include "law.h"
#include <pthread.h>
#include <spawn.h>

extern char **environ;

enum { threads = 3, rounds = 15 };

static int stop;

static void *hammer(void *argument)
{
    (void)argument;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        void *block = OPAQUE(malloc(OPAQUE((size_t)300)));
        CHECK(block != NULL, "malloc() to succeed; saw NULL");
        law_fill(block, 300, 1);
        CHECK(law_intact(block, 300, 1) == 300, "a block to be intact; saw other bytes");
        free(block);
    }
    return NULL;
}

int main(void)
{
    if (access("/bin/sh", X_OK) != 0) {
        law_does_not_apply("there is no /bin/sh to execute");
    }
    char shell[] = "/bin/sh", option[] = "-c", command[] = "x=$(echo 7); exit $x";
    char *const arguments[] = {shell, option, command, NULL};
#ifndef __GLIBC__
    /* The shell may be of another C library, which cannot load what this program preloads. */
    unsetenv("LD_PRELOAD");
#endif
    pthread_t thread[threads];
    for (int i = 0; i < threads; i++) {
        CHECK(pthread_create(&thread[i], NULL, hammer, NULL) == 0, "a thread to start; saw an error");
    }
    void *block = OPAQUE(malloc(1000));
    CHECK(block != NULL, "malloc(1000) to succeed; saw NULL");
    law_fill(block, 1000, 2);
    for (int i = 0; i < rounds; i++) {
        law_watch("vfork() and posix_spawn()", 15);
        pid_t child = vfork();
        CHECK(child >= 0, "vfork() to succeed; saw errno %d", law_errno());
        if (child == 0) {
            execve(shell, arguments, environ);
            _exit(99);
        }
        EXPECT_EXIT("the child of vfork()", child, 7);

        posix_spawn_file_actions_t actions;
        CHECK(posix_spawn_file_actions_init(&actions) == 0, "file actions; saw an error");
        CHECK(posix_spawn_file_actions_addopen(&actions, 9, "/dev/null", O_RDONLY, 0) == 0, "a file action; saw an error");
        CHECK(posix_spawnp(&child, shell, &actions, NULL, arguments, environ) == 0, "posix_spawnp() to succeed; saw an error");
        posix_spawn_file_actions_destroy(&actions);
        EXPECT_EXIT("the child of posix_spawnp()", child, 7);

        CHECK(law_intact(block, 1000, 2) == 1000, "the parent's block to be intact; saw other bytes");
        free(OPAQUE(malloc(OPAQUE((size_t)(i * 1000)))));
    }
    FILE *pipe_from = popen("echo text", "r");
    char line[16] = "";
    CHECK(pipe_from != NULL && fgets(line, sizeof line, pipe_from) != NULL && strcmp(line, "text\n") == 0, "popen() to read; saw \"%s\"",
          line);
    pclose(pipe_from);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < threads; i++) {
        pthread_join(thread[i], NULL);
    }
    free(block);
    return 0;
}
