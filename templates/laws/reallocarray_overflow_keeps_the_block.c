// reallocarray() whose product does not fit returns NULL, sets ENOMEM and leaves the old block as it was (reallocarray(3), POSIX.1-2024).
//@ symbols = ["reallocarray"]
#include "law.h"

typedef void *reallocarray_function(void *, size_t, size_t);

int main(void)
{
    reallocarray_function *call = OPAQUE(&reallocarray);
    size_t half = (size_t)1 << (sizeof(size_t) * CHAR_BIT / 2);
    const struct {
        size_t count, size;
    } calls[] = {{SIZE_MAX, 2}, {2, SIZE_MAX}, {half, half}, {half + 1, half}, {SIZE_MAX / 2 + 2, 2}, {SIZE_MAX / 100 + 2, 100}};
    void *block = OPAQUE(malloc(1000));
    CHECK(block != NULL, "malloc(1000) to succeed; saw NULL");
    law_fill(block, 1000, 5);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        law_set_errno(0);
        void *other = OPAQUE(call(block, OPAQUE((size_t)calls[i].count), OPAQUE((size_t)calls[i].size)));
        int error = law_errno();
        CHECK(other == NULL, "reallocarray(block, %zu, %zu) to fail; saw %p", calls[i].count, calls[i].size, other);
        CHECK(error == ENOMEM, "reallocarray(block, %zu, %zu) to set ENOMEM (%d); saw %d", calls[i].count, calls[i].size, ENOMEM, error);
        CHECK(law_intact(block, 1000, 5) == 1000, "the old block to be intact; saw other bytes after %zu", law_intact(block, 1000, 5));

        law_set_errno(0);
        other = OPAQUE(call(NULL, OPAQUE((size_t)calls[i].count), OPAQUE((size_t)calls[i].size)));
        error = law_errno();
        CHECK(other == NULL && error == ENOMEM, "reallocarray(NULL, %zu, %zu) to fail with ENOMEM; saw %p, errno %d", calls[i].count,
              calls[i].size, other, error);
    }
    block = OPAQUE(call(block, 300, 7));
    CHECK(block != NULL, "reallocarray(block, 300, 7) to succeed; saw NULL");
    CHECK(law_intact(block, 1000, 5) == 1000, "reallocarray() to keep the content; saw other bytes after %zu", law_intact(block, 1000, 5));
    law_fill(block, 2100, 6);
    free(block);
    return 0;
}
