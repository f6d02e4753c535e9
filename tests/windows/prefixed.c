/* Functions under a prefix beside the C library's own: two heaps, each with its own blocks. */
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "my.h"

static unsigned checks, failures;

static void check(int holds, const char *law)
{
    checks++;
    if (!holds) {
        failures++;
        printf("FAIL %s\n", law);
    }
}
#define CHECK(condition) check((condition) != 0, #condition)

int main(void)
{
    char *block = my_malloc(100), *zeroed = my_calloc(10, 10), *copy = my_strdup("a string");
    CHECK(block != NULL && my_msize(block) >= 100);
    for (int i = 0; i < 100; i++)
        CHECK(zeroed[i] == 0);
    CHECK(strcmp(copy, "a string") == 0);
    strcpy(block, "keeps its content");
    block = my_realloc(block, 100000);
    CHECK(strcmp(block, "keeps its content") == 0 && my_msize(block) >= 100000);
    CHECK(my_realloc(block, 0) == NULL);
    for (size_t alignment = 8; alignment <= 65536; alignment *= 2) {
        void *aligned = my_aligned_malloc(100, alignment);
        CHECK(aligned != NULL && (uintptr_t)aligned % alignment == 0);
        my_aligned_free(aligned);
    }
    volatile size_t huge = SIZE_MAX / 2 + 1, many = SIZE_MAX / 8;
    errno = 0;
    CHECK(my_malloc(huge) == NULL && errno == ENOMEM);
    errno = 0;
    CHECK(my_calloc(many, 16) == NULL && errno == ENOMEM);
    my_free(zeroed), my_free(copy), my_free(NULL);

    /* The C library's own are nobody else's: its heap knows its blocks. */
    char *other = malloc(100);
    CHECK(other != NULL && _msize(other) == 100);
    free(other);
    printf("client: %u checks, %u failed\n", checks, failures);
    return failures != 0;
}
