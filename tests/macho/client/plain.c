// malloc and its family.
#include "check.h"

static volatile size_t huge = SIZE_MAX / 2;

static void malloc_laws(void) {
    char *a = malloc(100), *b = malloc(100), *nothing = malloc(0);
    check(ours(a) && ours(b), "malloc_takes_from_the_expected_zone");
    memset(a, 'a', 100);
    memset(b, 'b', 100);
    check(filled(a, 'a', 100), "blocks_do_not_overlap");
    check(nothing != NULL && nothing != a, "malloc_of_nothing_is_a_block");
    free(nothing);
    free(b);
    errno = 7;
    free(a);
    free(NULL);
    check(errno == 7, "free_keeps_errno");
    errno = 0;
    check(malloc(huge) == NULL && errno == ENOMEM, "malloc_of_too_much_sets_enomem");
    char *big = malloc(3 << 20);
    check(big && ((uintptr_t)big & 15) == 0, "a_large_block_is_aligned");
    if (big) memset(big, 1, 3 << 20);
    free(big);
}

static void calloc_laws(void) {
    for (int round = 0; round < 2; round++) { // the second takes what the first left
        char *block = calloc(10, 50);
        check(ours(block) && filled(block, 0, 500), "calloc_clears");
        memset(block, 'x', 500);
        free(block);
    }
    errno = 0;
    check(calloc(huge, 16) == NULL && errno == ENOMEM, "calloc_that_overflows_sets_enomem");
}

static void realloc_laws(void) {
    char *block = realloc(NULL, 60);
    check(ours(block), "realloc_of_null_is_malloc");
    memset(block, 'r', 60);
    block = realloc(block, 100000);
    check(ours(block) && filled(block, 'r', 60), "realloc_keeps_the_contents");
    block = realloc(block, 10);
    check(ours(block) && filled(block, 'r', 10), "realloc_keeps_what_fits");
    errno = 0;
    check(realloc(block, huge) == NULL && errno == ENOMEM && filled(block, 'r', 10),
        "a_failed_realloc_leaves_the_block");
    block = realloc(block, 0);
    check(block != NULL, "realloc_to_nothing_is_a_block");
    free(block);
    block = reallocf(NULL, 40);
    check(ours(block), "reallocf_of_null_is_malloc");
    errno = 0;
    check(reallocf(block, huge) == NULL && errno == ENOMEM, "reallocf_of_too_much_sets_enomem");
    check(malloc_size(block) == 0, "a_failed_reallocf_frees");
    if (!reallocarray || !reallocarrayf) return;
    block = reallocarray(NULL, 10, 20);
    check(ours(block), "reallocarray_allocates");
    errno = 0;
    check(reallocarray(block, huge, 16) == NULL && errno == ENOMEM && malloc_size(block) >= 200,
        "reallocarray_that_overflows_leaves_the_block");
    check(reallocarrayf(block, huge, 16) == NULL && malloc_size(block) == 0,
        "reallocarrayf_that_overflows_frees");
}

static void alignment_laws(void) {
    void *block = valloc(100);
    check(ours(block) && ((uintptr_t)block & (vm_page_size - 1)) == 0, "valloc_is_page_aligned");
    vfree(block);
    for (size_t alignment = 16; alignment <= 1 << 16; alignment *= 4) {
        check(posix_memalign(&block, alignment, 100) == 0 && ours(block) && (uintptr_t)block % alignment == 0,
            "posix_memalign_aligns");
        free(block);
        block = aligned_alloc(alignment, alignment * 2);
        check(ours(block) && (uintptr_t)block % alignment == 0, "aligned_alloc_aligns");
        free(block);
    }
    void *before = &before, *memptr = before;
    errno = 7;
    check(posix_memalign(&memptr, 3, 10) == EINVAL && posix_memalign(&memptr, 4, 10) == EINVAL,
        "posix_memalign_refuses_odd_alignments");
    check(posix_memalign(&memptr, 64, huge) == ENOMEM, "posix_memalign_of_too_much_is_enomem");
    check(memptr == before && errno == 7, "a_failed_posix_memalign_leaves_memptr_and_errno");
    errno = 0;
    check(aligned_alloc(24, 48) == NULL && errno == EINVAL, "aligned_alloc_refuses_odd_alignments");
    errno = 0;
    check(aligned_alloc(64, 65) == NULL && errno == EINVAL, "aligned_alloc_refuses_odd_sizes");
}

static void size_laws(void) {
    int local = 0;
    char *block = malloc(77);
    check(malloc_size(block) >= 77, "malloc_size_is_at_least_what_was_asked_for");
    memset(block, 's', malloc_size(block));
    check(malloc_size(NULL) == 0, "malloc_size_of_null_is_0");
    check(malloc_size(&local) == 0, "malloc_size_of_the_stack_is_0");
    check(malloc_size(block + 16) == 0, "malloc_size_of_an_inner_address_is_0");
    free(block);
    check(malloc_good_size(100) >= 100 && malloc_good_size(malloc_good_size(100)) == malloc_good_size(100),
        "malloc_good_size_is_stable");
    char *copy = strdup("a string");
    check(ours(copy) && strcmp(copy, "a string") == 0, "strdup_takes_from_the_expected_zone");
    free(copy);
}

void plain_laws(void) {
    malloc_laws();
    calloc_laws();
    realloc_laws();
    alignment_laws();
    size_laws();
}
