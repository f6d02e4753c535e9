// calloc() whose product does not fit returns NULL and sets ENOMEM (calloc(3), POSIX, C23 7.24.3.2).
//@ standard = true
#include "law.h"

int main(void)
{
    size_t half = (size_t)1 << (sizeof(size_t) * CHAR_BIT / 2);
    const struct {
        size_t count, size;
    } calls[] = {
        {SIZE_MAX, 2},
        {2, SIZE_MAX},
        {SIZE_MAX, SIZE_MAX},
        {SIZE_MAX / 2 + 1, 2},
        {2, SIZE_MAX / 2 + 1},
        {SIZE_MAX / 2 + 2, 2},
        {half, half},
        {half + 1, half},
        {half, half + 1},
        {half * 2, half * 2},
        {SIZE_MAX / 16 + 2, 16},
        {3, SIZE_MAX / 3 + 10},
        {SIZE_MAX / 100 + 2, 100},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        law_set_errno(0);
        void *block = OPAQUE(calloc(OPAQUE((size_t)calls[i].count), OPAQUE((size_t)calls[i].size)));
        int error = law_errno();
        CHECK(block == NULL, "calloc(%zu, %zu) to fail; saw %p", calls[i].count, calls[i].size, block);
        CHECK(error == ENOMEM, "calloc(%zu, %zu) to set ENOMEM (%d); saw %d", calls[i].count, calls[i].size, ENOMEM, error);
    }
    return 0;
}
