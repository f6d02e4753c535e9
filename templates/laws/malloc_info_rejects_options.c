// malloc_info() fails with EINVAL for any option but 0; for 0 it writes an XML document, or says with ENOSYS that it has none (malloc_info(3)).
//@ symbols = ["malloc_info"]
#include "law.h"

int main(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    CHECK(stream != NULL, "open_memstream() to succeed; saw NULL");
    const int options[] = {1, -1, 42};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        law_set_errno(0);
        int code = malloc_info(OPAQUE((int)options[i]), stream);
        int error = law_errno();
        /* The manual says -1 and errno; glibc returns EINVAL. */
        CHECK(code == EINVAL || (code == -1 && error == EINVAL), "malloc_info(%d, _) to fail with EINVAL (%d); saw %d, errno %d", options[i],
              EINVAL, code, error);
    }
    fflush(stream);
    CHECK(size == 0, "malloc_info() that fails to write nothing; saw %zu bytes", size);
    law_set_errno(0);
    int code = malloc_info(OPAQUE(0), stream);
    int error = law_errno();
    fclose(stream);
    text = OPAQUE(text);
    if (code == -1 && error == ENOSYS) {
        /* Another heap than the C library's: it is not in the state to be told. */
        CHECK(size == 0, "malloc_info(0, _) that fails to write nothing; saw %zu bytes", size);
        free(text);
        return 0;
    }
    CHECK(code == 0, "malloc_info(0, _) to return 0; saw %d", code);
    CHECK(strncmp(text, "<malloc", 7) == 0 || strncmp(text, "<?xml", 5) == 0, "malloc_info(0, _) to write XML; saw \"%.20s\"", text);
    free(text);
    return 0;
}
