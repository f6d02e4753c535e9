// free() leaves errno as it was, for every kind of block, also one that goes back to the system, and for NULL (POSIX.1-2024; glibc since 2.33, bug 17924).
#include "law.h"

static void release(const char *what, void (*release_function)(void *), void *block)
{
    law_set_errno(77);
    release_function(block);
    int error = law_errno();
    CHECK(error == 77, "freeing %s to leave errno at 77; saw %d", what, error);
}

int main(void)
{
#ifdef __GLIBC__
    const char *version = "no";
    const char *(*get_version)(void) = (const char *(*)(void))law_lookup("gnu_get_libc_version");
    if (get_version != NULL && strverscmp(version = get_version(), "2.33") < 0) {
        law_does_not_apply("free() kept errno only from glibc 2.33 on");
    }
#endif
    void (*functions[2])(void *) = {OPAQUE(&free), (void (*)(void *))law_lookup("cfree")};
    for (int i = 0; i < 2; i++) {
        void (*function)(void *) = functions[i];
        if (function == NULL) {
            continue;
        }
        release("NULL", function, NULL);
        for (size_t size = 0; size <= (size_t)64 << 20; size = size ? size * 4 : 1) {
            char what[64];
            snprintf(what, sizeof what, "a block of %zu bytes", size);
            char *block = OPAQUE((char *)malloc(OPAQUE(size)));
            CHECK(block != NULL, "malloc(%zu) to succeed; saw NULL", size);
            if (size > 0) {
                block[0] = block[size - 1] = 1;
            }
            release(what, function, block);
        }
        for (size_t alignment = 16; alignment <= (size_t)1 << 20; alignment *= 16) {
            release("an aligned block", function, OPAQUE(law_memalign(OPAQUE(alignment), 1000)));
        }
        release("a zeroed block", function, OPAQUE(calloc(100, 100)));
        release("a resized block", function, OPAQUE(realloc(OPAQUE(malloc(10)), 100000)));
    }
    /* Many blocks at once: what is done lazily (trimming, flushing a cache) must keep errno too. */
    enum { count = 20000 };
    static void *blocks[count];
    for (size_t i = 0; i < count; i++) {
        blocks[i] = OPAQUE(malloc(OPAQUE(i % 5 ? i % 700 : 5000)));
        CHECK(blocks[i] != NULL, "malloc() to succeed; saw NULL");
    }
    for (size_t i = 0; i < count; i++) {
        release("one of many blocks", functions[0], blocks[i]);
    }
    return 0;
}
