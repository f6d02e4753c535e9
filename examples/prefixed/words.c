// Counts words. The table lives in a heap of its own, where nothing of anybody else's lies between its
// entries and where its memory can be told apart; lines are in the C library's, which getline allocates from.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

struct entry {
    char *word;
    size_t count;
};

static struct entry *entries;
static size_t used, room;

static int count(const char *word)
{
    for (size_t i = 0; i < used; i++)
        if (strcmp(entries[i].word, word) == 0) {
            entries[i].count++;
            return 0;
        }
    if (used == room) {
        room = room == 0 ? 8 : room * 2;
        struct entry *more = table_realloc(entries, room * sizeof *more);
        if (more == NULL)
            return -1;
        entries = more;
    }
    entries[used].word = table_strdup(word);
    entries[used].count = 1;
    return entries[used++].word == NULL ? -1 : 0;
}

int main(void)
{
    char *line = NULL;
    size_t size = 0, bytes = 0;
    while (getline(&line, &size, stdin) > 0)
        for (char *word = strtok(line, " \t\n"); word != NULL; word = strtok(NULL, " \t\n"))
            if (count(word) != 0) {
                perror("words");
                return 1;
            }
    free(line); // the C library's
    for (size_t i = 0; i < used; i++) {
        printf("%zu %s\n", entries[i].count, entries[i].word);
        bytes += table_malloc_usable_size(entries[i].word);
        table_free(entries[i].word); // ours
    }
    bytes += table_malloc_usable_size(entries);
    table_free(entries);
    printf("%zu words in %zu bytes of the table's heap\n", used, bytes);
    return 0;
}
