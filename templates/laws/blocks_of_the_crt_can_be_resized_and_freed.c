// What the C library allocates for its caller can be resized and freed like any other block (UCRT _strdup, _wcsdup, _getcwd, _fullpath).
//@ symbols = ["_strdup", "_wcsdup"]
//@ standard = true
#include "law.h"

#include <direct.h>
#include <wchar.h>

int main(void)
{
    for (size_t length = 0; length < 20000; length = length * 2 + 1) {
        static char text[32768];
        memset(text, 'x', length);
        text[length] = '\0';
        char *copy = OPAQUE(_strdup(text));
        CHECK(copy != NULL && strcmp(copy, text) == 0, "_strdup() to copy %zu characters; saw another text", length);
        copy = OPAQUE((char *)realloc(copy, 2 * length + 100));
        CHECK(copy != NULL && strcmp(copy, text) == 0, "a copy of %zu characters to be resized; saw another text", length);
        free(copy);
    }
    wchar_t *wide = OPAQUE(_wcsdup(L"a wide string"));
    CHECK(wide != NULL && wcscmp(wide, L"a wide string") == 0, "_wcsdup() to copy a string; saw another");
    wide = OPAQUE((wchar_t *)realloc(wide, 10000));
    CHECK(wide != NULL && wcscmp(wide, L"a wide string") == 0, "a copy to be resized; saw another string");
    free(wide);
    for (int round = 0; round < 100; round++) {
        char *folder = OPAQUE(_getcwd(NULL, 0)), *path = OPAQUE(_fullpath(NULL, "file", 0));
        CHECK(folder != NULL && path != NULL, "_getcwd() and _fullpath() to allocate; saw NULL");
        CHECK(strncmp(folder, path, strlen(folder)) == 0, "a file's path to begin with its folder; saw %s and %s", path, folder);
        path = OPAQUE((char *)realloc(path, 5000));
        CHECK(path != NULL && strncmp(folder, path, strlen(folder)) == 0, "a path to be resized; saw another");
        free(folder);
        free(path);
    }
    return 0;
}
