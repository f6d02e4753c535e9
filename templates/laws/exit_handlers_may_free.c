// Functions registered with atexit() and destructors of the program may allocate and free until the process ends (atexit(3)).
#include "law.h"

static int report = -1;
static void *blocks[200];

static void check(const char *where)
{
    for (unsigned i = 0; i < 200; i++) {
        CHECK(law_intact(blocks[i], 50 + i, i) == 50 + i, "blocks to be intact in %s; saw other bytes", where);
        free(blocks[i]);
        blocks[i] = OPAQUE(malloc(OPAQUE((size_t)(50 + i))));
        CHECK(blocks[i] != NULL, "malloc() in %s to succeed; saw NULL", where);
        law_fill(blocks[i], 50 + i, i);
    }
}

static void at_exit(void)
{
    check("an atexit() handler");
    char *text = NULL;
    CHECK(asprintf(&text, "%d", 42) == 2, "asprintf() in an atexit() handler to print; saw an error");
    free(text);
}

__attribute__((destructor))
static void at_end(void)
{
    if (report >= 0) {
        check("a destructor");
        for (unsigned i = 0; i < 200; i++) {
            free(blocks[i]);
        }
        CHECK(write(report, "!", 1) == 1, "to report; saw an error");
    }
}

int main(void)
{
    int ends[2];
    CHECK(pipe(ends) == 0, "a pipe; saw an error");
    pid_t child = fork();
    CHECK(child >= 0, "a child; saw an error");
    if (child == 0) {
        law_watch(NULL, 10);
        close(ends[0]);
        report = ends[1];
        for (unsigned i = 0; i < 200; i++) {
            blocks[i] = OPAQUE(malloc(OPAQUE((size_t)(50 + i))));
            CHECK(blocks[i] != NULL, "malloc() to succeed; saw NULL");
            law_fill(blocks[i], 50 + i, i);
        }
        for (int i = 0; i < 60; i++) {
            CHECK(atexit(at_exit) == 0, "atexit() to register; saw an error");
        }
        exit(0);
    }
    close(ends[1]);
    char byte = 0;
    ssize_t got = read(ends[0], &byte, 1);
    EXPECT_EXIT("the process", child, 0);
    CHECK(got == 1 && byte == '!', "handlers and destructors to run to their end; saw them stop");
    return 0;
}
