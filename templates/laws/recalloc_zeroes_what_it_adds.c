// _recalloc() zeroes what it adds to a block of its own, whatever lay there before (UCRT _recalloc).
//@ symbols = ["_recalloc"]
//@ standard = true
#include "law.h"

typedef void (*function)(void);
__declspec(dllimport) void *__stdcall LoadLibraryA(const char *file);
__declspec(dllimport) function __stdcall GetProcAddress(void *library, const char *name);

static void *(*ucrt_malloc)(size_t size);
static void *(*ucrt_recalloc)(void *ptr, size_t nmemb, size_t size);
static size_t (*ucrt_msize)(void *ptr);
static void (*ucrt_free)(void *ptr);

/* What comes next may lie where this was. */
static void leave_garbage(size_t size)
{
    void *block[8];
    for (int i = 0; i < 8; i++) {
        block[i] = OPAQUE(ucrt_malloc(size));
        CHECK(block[i] != NULL, "malloc(%zu) to succeed; saw NULL", size);
        memset(block[i], 0xA5, ucrt_msize(block[i]));
    }
    for (int i = 0; i < 8; i++)
        ucrt_free(block[i]);
}

/* From one size to another: what was there stays, and all that is new is zero. */
static unsigned char *resize(unsigned char *block, size_t old, size_t size)
{
    leave_garbage(size);
    unsigned char *resized = OPAQUE((unsigned char *)ucrt_recalloc(block, size, 1));
    CHECK(resized != NULL, "_recalloc(block of %zu, %zu, 1) to succeed; saw NULL", old, size);
    size_t kept = old < size ? old : size;
    CHECK(law_intact(resized, kept, 3) == kept, "_recalloc(block of %zu, %zu, 1) to keep %zu bytes; saw them change", old, size, kept);
    for (size_t i = kept; i < size; i++)
        CHECK(resized[i] == 0, "byte %zu of _recalloc(block of %zu, %zu, 1) to be 0; saw %u", i, old, size, resized[i]);
    law_fill(resized, size, 3);
    return resized;
}

int main(void)
{
    /* Older C libraries have none: it is this one's, whichever the program is linked with. */
    void *library = LoadLibraryA("ucrtbase.dll");
    if (library == NULL)
        law_does_not_apply("there is no ucrtbase.dll");
    ucrt_malloc = (void *(*)(size_t))GetProcAddress(library, "malloc");
    ucrt_recalloc = (void *(*)(void *, size_t, size_t))GetProcAddress(library, "_recalloc");
    ucrt_msize = (size_t (*)(void *))GetProcAddress(library, "_msize");
    ucrt_free = (void (*)(void *))GetProcAddress(library, "free");
    CHECK(ucrt_malloc && ucrt_recalloc && ucrt_msize && ucrt_free, "ucrtbase.dll to have all four; saw NULL");
    for (size_t first = 1; first <= 5000; first = first * 3 + 1) {
        unsigned char *block = resize(NULL, 0, first);
        size_t size = first;
        for (int step = 0; step < 40; step++) {
            /* By little, so that some stay where they are; and smaller in between. */
            size_t next = step % 4 == 3 ? size - size / 3 : size + 1 + size / 5;
            block = resize(block, size, next);
            size = next;
        }
        ucrt_free(block);
    }
    return 0;
}
