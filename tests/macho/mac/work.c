/* Takes and gives back COUNT blocks; with a second word, keeps some and waits to be looked at. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *kept[64];

int main(int count, char **words)
{
    long turns = count > 1 ? atol(words[1]) : 1000;
    for (long turn = 0; turn < turns; turn++) {
        size_t at = (size_t)turn % 64, size = 16 + (size_t)turn % 5000;
        free(kept[at]);
        kept[at] = malloc(size);
        if (kept[at] == NULL)
            return 1;
        memset(kept[at], 1, size);
    }
    puts("done");
    fflush(stdout);
    if (count > 2)
        sleep(60);
    return 0;
}
