// A program with two heaps: the system's, which is as it was, and one whose functions have a prefix.
#include "my.h"
#include "check.h"

const char *expected = "DefaultMallocZone";
static unsigned failed;

void check(bool holds, const char *law) {
    if (holds) return;
    failed++;
    write(1, law, strlen(law));
    write(1, "\n", 1);
}

static bool of_the_system(const void *block) {
    return malloc_zone_from_ptr(block) != NULL;
}

int main(void) {
    char *block = my_malloc(100), *other = malloc(100);
    check(block && my_malloc_size(block) >= 100, "my_malloc gives a block");
    check(!of_the_system(block) && of_the_system(other), "the heaps are two");
    free(other);
    memset(block, 'm', 100);
    block = my_realloc(block, 5000);
    check(block && block[99] == 'm', "my_realloc keeps what was there");
    my_free(block);
    void *aligned = NULL;
    check(my_posix_memalign(&aligned, 4096, 10) == 0 && (uintptr_t)aligned % 4096 == 0, "my_posix_memalign aligns");
    my_free(aligned);
    volatile size_t odd = 3;
    check(my_aligned_alloc(odd, odd) == NULL && errno == EINVAL, "my_aligned_alloc refuses odd alignments");
    block = my_strdup("copied");
    check(block && strcmp(block, "copied") == 0 && !of_the_system(block), "my_strdup copies into the heap");
    block = my_reallocarray(block, 3, 40);
    check(block && my_malloc_size(block) >= 120, "my_reallocarray multiplies");
    my_free(block);
    errno = 0;
    check(my_calloc(SIZE_MAX, 2) == NULL && errno == ENOMEM, "my_calloc sees overflows");
    int status = -1, child = fork();
    if (child == 0) {
        my_free(my_malloc(10));
        _exit(0);
    }
    check(waitpid(child, &status, 0) == child && status == 0, "a child may use the heap");
    write(1, failed ? "failed\n" : "whole\n", failed ? 7 : 6);
    return (int)failed;
}
