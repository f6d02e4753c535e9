/* Usage: reaches NAME. Calls the function of that name under the counting heap and tells what it took:
 *   NAME allocated=2 freed=2 foreign=0
 * `reaches` alone lists the names. */
#include "reaches.h"

static void nothing(void)
{
}

/* What a function with a heap of its own does to callers who free what it hands out. */
static void private_heap(void)
{
    static long heap[64];
    void *volatile block = heap + 8;
    free(block);
}

/* Two that must be told apart from those that reach the public names. */
static const struct call controls[] = {
    { "control_nothing", nothing }, { "control_private_heap", private_heap }, { NULL, NULL },
};

static const struct call *const lists[] = {
    controls, strings_and_files, tables_and_databases, of_glibc, of_musl,
};

void need(int holds, const char *condition, const char *file, int line)
{
    if (!holds) {
        fprintf(stderr, "%s:%d: %s does not hold\n", file, line, condition);
        exit(3);
    }
}

void *lookup(const char *name)
{
    void *address = dlsym(RTLD_DEFAULT, name);
    if (address == NULL) {
        fprintf(stderr, "%s is not in this C library\n", name);
        exit(4);
    }
    return address;
}

int main(int argc, char **argv)
{
    typedef void counter(unsigned long *blocks, unsigned long *frees, unsigned long *strangers);
    unsigned long before[3] = { 0 }, after[3] = { 0 };
    counter *counts = (counter *)dlsym(RTLD_DEFAULT, "probe_counts");
    for (size_t list = 0; list < sizeof lists / sizeof *lists; list++)
        for (const struct call *entry = lists[list]; entry->name != NULL; entry++) {
            if (argc < 2) {
                puts(entry->name);
            } else if (strcmp(entry->name, argv[1]) == 0) {
                NEED(counts != NULL);
                counts(&before[0], &before[1], &before[2]);
                entry->call();
                counts(&after[0], &after[1], &after[2]);
                printf("%s allocated=%lu freed=%lu foreign=%lu\n", argv[1], after[0] - before[0],
                    after[1] - before[1], after[2] - before[2]);
                return 0;
            }
        }
    if (argc < 2)
        return 0;
    fprintf(stderr, "no call of %s\n", argv[1]);
    return 2;
}
