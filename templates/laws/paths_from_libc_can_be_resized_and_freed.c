// Paths and directory lists that libc allocates for the caller (getcwd(NULL), realpath(_, NULL), scandir) can be resized and freed (getcwd(3), realpath(3), scandir(3)).
#include "law.h"
#include <dirent.h>
#include <glob.h>

static void use_up(const char *name, char *path, int resize)
{
    CHECK(path != NULL, "%s to return a path; saw NULL, errno %d", name, law_errno());
    if (resize) {
        size_t length = strlen(path);
        path = OPAQUE((char *)realloc(path, OPAQUE(length + 5000)));
        CHECK(path != NULL && strlen(path) == length, "realloc() of what %s returned to keep it; saw %p", name, (void *)path);
        law_fill(path, length + 5000, 2);
    }
    free(path);
}

int main(void)
{
    for (int i = 0; i < 20; i++) {
        use_up("getcwd(NULL, 0)", OPAQUE(getcwd(NULL, 0)), i % 2);
        use_up("getcwd(NULL, 4096)", OPAQUE(getcwd(NULL, 4096)), i % 2);
        use_up("realpath(_, NULL)", OPAQUE(realpath(OPAQUE((const char *)"/proc/.././"), NULL)), i % 2);
#if PLATFORM_REACHES_GET_CURRENT_DIR_NAME
        use_up("get_current_dir_name()", OPAQUE(get_current_dir_name()), i % 2);
#endif
#if PLATFORM_REACHES_CANONICALIZE_FILE_NAME
        use_up("canonicalize_file_name()", OPAQUE(canonicalize_file_name(OPAQUE((const char *)"/proc/../"))), i % 2);
#endif
        struct dirent **names = NULL;
        int count = scandir("/", &names, NULL, alphasort);
        CHECK(count > 0 && OPAQUE(names) != NULL, "scandir() to list the root folder; saw %d", count);
        if (i % 2) {
            names = OPAQUE((struct dirent **)realloc(names, ((size_t)count + 600) * sizeof *names));
            CHECK(names != NULL, "realloc() of what scandir() returned to succeed; saw NULL");
        }
        for (int j = 0; j < count; j++) {
            free(names[j]);
        }
        free(names);

        glob_t found;
        CHECK(glob("/*", 0, NULL, &found) == 0 && found.gl_pathc > 0, "glob() to list the root folder; saw an error");
        globfree(&found);
    }
    return 0;
}
