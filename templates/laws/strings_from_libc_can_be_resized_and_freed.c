// Strings that libc allocates for the caller (strdup, asprintf, getline and their like) can be resized and freed (strdup(3), asprintf(3), getline(3), open_memstream(3)).
#include "law.h"
#include <wchar.h>

static void use_up(const char *name, void *block, size_t size, int resize)
{
    CHECK(block != NULL, "%s to return a block; saw NULL", name);
    if (resize) {
        unsigned char first = *(unsigned char *)block;
        block = OPAQUE(realloc(block, OPAQUE(size + 5000)));
        CHECK(block != NULL && *(unsigned char *)block == first, "realloc() of what %s returned to keep it; saw %p", name, block);
        law_fill(block, size + 5000, 2);
    }
    free(block);
}

__attribute__((format(printf, 2, 3)))
static int print(char **text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(text, format, arguments);
    va_end(arguments);
    return length;
}

int main(void)
{
    static char line[3000];
    memset(line, 'x', sizeof line - 2);
    line[sizeof line - 2] = '\n';
    for (int resize = 0; resize < 2; resize++) {
        for (size_t length = 0; length < sizeof line; length += 61) {
            char *text = line + (sizeof line - 1 - length);
            use_up("strdup()", OPAQUE(strdup(OPAQUE(text))), length + 1, resize);
            use_up("strndup()", OPAQUE(strndup(OPAQUE(text), OPAQUE(length / 2))), length / 2 + 1, resize);

            char *printed = NULL;
            CHECK(asprintf(&printed, "%s%s", OPAQUE(text), "!") == (int)length + 1, "asprintf() to print; saw an error");
            use_up("asprintf()", OPAQUE(printed), length + 2, resize);
            CHECK(print(&printed, "%s", OPAQUE(text)) == (int)length, "vasprintf() to print; saw an error");
            use_up("vasprintf()", OPAQUE(printed), length + 1, resize);

            char *memory = NULL;
            size_t size = 0;
            FILE *stream = open_memstream(&memory, &size);
            CHECK(stream != NULL, "open_memstream() to succeed; saw NULL");
            fputs(text, stream);
            fclose(stream);
            CHECK(size == length && strcmp(memory, text) == 0, "open_memstream() to hold %zu bytes; saw %zu", length, size);
            use_up("open_memstream()", OPAQUE(memory), size + 1, resize);
        }
        use_up("wcsdup()", OPAQUE(wcsdup(OPAQUE((const wchar_t *)L"wide"))), 5 * sizeof(wchar_t), resize);

        wchar_t *wide = NULL;
        size_t size = 0;
        FILE *stream = open_wmemstream(&wide, &size);
        CHECK(stream != NULL, "open_wmemstream() to succeed; saw NULL");
        fputws(L"wide", stream);
        fclose(stream);
        use_up("open_wmemstream()", OPAQUE(wide), (size + 1) * sizeof(wchar_t), resize);

        /* getline() starts with NULL, grows its own block, and grows one of ours. */
        char *got = resize ? OPAQUE((char *)malloc(4)) : NULL;
        size = resize ? 4 : 0;
        FILE *file = fmemopen(line, sizeof line - 1, "r");
        CHECK(file != NULL, "fmemopen() to succeed; saw NULL");
        CHECK(getline(&got, &size, file) == (ssize_t)sizeof line - 1, "getline() to read the line; saw less");
        fclose(file);
        use_up("getline()", OPAQUE(got), size, resize);

        got = resize ? OPAQUE((char *)malloc(4)) : NULL;
        size = resize ? 4 : 0;
        char short_line[] = "one;two;";
        file = fmemopen(short_line, sizeof short_line - 1, "r");
        CHECK(file != NULL, "fmemopen() to succeed; saw NULL");
        CHECK(getdelim(&got, &size, ';', file) == 4, "getdelim() to read a field; saw another length");
        fclose(file);
        use_up("getdelim()", OPAQUE(got), size, resize);
    }
    return 0;
}
