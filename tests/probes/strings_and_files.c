/* Strings, standard I/O, paths and folders: the same calls on every C library. */
#include "reaches.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

static void call_strdup(void) { free((strdup)("text")); }
static void call_strndup(void) { free((strndup)("text", 2)); }
static void call_wcsdup(void) { free(wcsdup(L"text")); }

static void call_asprintf(void)
{
    char *text = NULL;
    NEED(asprintf(&text, "%d", 42) == 2);
    free(text);
}

static int formatted(char **text, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int length = vasprintf(text, format, list);
    va_end(list);
    return length;
}

static void call_vasprintf(void)
{
    char *text = NULL;
    NEED(formatted(&text, "%d", 42) == 2);
    free(text);
}

/* A stream whose own memory is taken before the count and given back by exit. */
static FILE *text_stream(const char *text)
{
    FILE *stream = tmpfile();
    NEED(stream != NULL && fputs(text, stream) >= 0);
    rewind(stream);
    return stream;
}

static void call_getline(void)
{
    FILE *stream = text_stream("one line\n");
    char *line = NULL;
    size_t size = 0;
    NEED(getline(&line, &size, stream) == 9);
    free(line);
    fclose(stream);
}

static void delimited(const char *name)
{
    typedef ssize_t reader(char **line, size_t *size, int end, FILE *stream);
    FILE *stream = text_stream("a;b");
    char *line = NULL;
    size_t size = 0;
    NEED(((reader *)lookup(name))(&line, &size, ';', stream) == 2);
    free(line);
    fclose(stream);
}

static void call_getdelim(void) { delimited("getdelim"); }
static void call___getdelim(void) { delimited("__getdelim"); }

static void call_sscanf(void)
{
    char *word = NULL;
    NEED(sscanf("word", "%ms", &word) == 1);
    free(word);
}

static void call_getcwd(void) { free(getcwd(NULL, 0)); }
static void call_get_current_dir_name(void) { free(get_current_dir_name()); }
static void call_realpath(void) { free(realpath(HERE, NULL)); }

static void call_open_memstream(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    NEED(stream != NULL && fputs("text", stream) >= 0 && fclose(stream) == 0);
    free(text);
}

static void call_open_wmemstream(void)
{
    wchar_t *text = NULL;
    size_t size = 0;
    FILE *stream = open_wmemstream(&text, &size);
    NEED(stream != NULL && fputws(L"text", stream) >= 0 && fclose(stream) == 0);
    free(text);
}

static void call_fmemopen(void)
{
    FILE *stream = fmemopen(NULL, 64, "w+");
    NEED(stream != NULL && fclose(stream) == 0);
}

static void call_fopen(void)
{
    FILE *stream = fopen("/dev/null", "r");
    NEED(stream != NULL && fclose(stream) == 0);
}

static void call_fdopen(void)
{
    FILE *stream = fdopen(open("/dev/null", O_RDONLY), "r");
    NEED(stream != NULL && fclose(stream) == 0);
}

static void call_fopencookie(void)
{
    cookie_io_functions_t none = { 0 };
    FILE *stream = fopencookie(NULL, "r", none);
    NEED(stream != NULL && fclose(stream) == 0);
}

static void call_opendir(void)
{
    DIR *folder = opendir(HERE);
    NEED(folder != NULL && closedir(folder) == 0);
}

static void call_fdopendir(void)
{
    DIR *folder = fdopendir(open(HERE, O_RDONLY | O_DIRECTORY));
    NEED(folder != NULL && closedir(folder) == 0);
}

static void scanned(const char *name)
{
    typedef int scanner(const char *, struct dirent ***, int (*)(const struct dirent *),
        int (*)(const struct dirent **, const struct dirent **));
    struct dirent **entries = NULL;
    int count = ((scanner *)lookup(name))(HERE, &entries, NULL, NULL);
    NEED(count > 0);
    while (count-- > 0)
        free(entries[count]);
    free(entries);
}

static void call_scandir(void) { scanned("scandir"); }
static void call_scandir64(void) { scanned("scandir64"); }

static void call_tempnam(void)
{
    typedef char *namer(const char *, const char *); /* linkers warn of its name */
    free(((namer *)lookup("tempnam"))(NULL, "probe"));
}

static void globbed(const char *name, const char *release)
{
    typedef int globber(const char *, int, int (*)(const char *, int), glob_t *);
    glob_t found;
    NEED(((globber *)lookup(name))("/*", 0, NULL, &found) == 0);
    ((void (*)(glob_t *))lookup(release))(&found);
}

static void call_glob(void) { globbed("glob", "globfree"); }
static void call_glob64(void) { globbed("glob64", "globfree64"); }

const struct call strings_and_files[] = {
    { "strdup", call_strdup }, { "strndup", call_strndup }, { "wcsdup", call_wcsdup },
    { "asprintf", call_asprintf }, { "vasprintf", call_vasprintf }, { "getline", call_getline },
    { "getdelim", call_getdelim }, { "__getdelim", call___getdelim }, { "sscanf", call_sscanf },
    { "getcwd", call_getcwd }, { "get_current_dir_name", call_get_current_dir_name },
    { "realpath", call_realpath }, { "open_memstream", call_open_memstream },
    { "open_wmemstream", call_open_wmemstream }, { "fmemopen", call_fmemopen },
    { "fopen", call_fopen }, { "fclose", call_fopen }, { "fdopen", call_fdopen },
    { "fopencookie", call_fopencookie }, { "opendir", call_opendir },
    { "closedir", call_opendir }, { "fdopendir", call_fdopendir }, { "scandir", call_scandir },
    { "scandir64", call_scandir64 }, { "tempnam", call_tempnam }, { "glob", call_glob },
    { "globfree", call_glob }, { "glob64", call_glob64 }, { "globfree64", call_glob64 },
    { NULL, NULL },
};
