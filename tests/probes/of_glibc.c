/* Calls that glibc alone has, or alone answers from the public heap. */
#include "reaches.h"

#ifndef __GLIBC__

const struct call of_glibc[] = { { NULL, NULL } };

#else

#include <argz.h>
#include <dirent.h>
#include <envz.h>
#include <execinfo.h>
#include <fcntl.h>
#include <locale.h>
#include <obstack.h>
#include <semaphore.h>
#include <stdarg.h>
#include <unistd.h>
#include <wchar.h>

#define obstack_chunk_alloc malloc
#define obstack_chunk_free free

static void call___strdup(void) { free(((char *(*)(const char *))lookup("__strdup"))("text")); }

static void call___strndup(void)
{
    free(((char *(*)(const char *, size_t))lookup("__strndup"))("text", 2));
}

static void call___asprintf(void)
{
    char *text = NULL;
    NEED(((int (*)(char **, const char *, ...))lookup("__asprintf"))(&text, "%d", 42) == 2);
    free(text);
}

static void call___asprintf_chk(void)
{
    char *text = NULL;
    NEED(((int (*)(char **, int, const char *, ...))lookup("__asprintf_chk"))(&text, 1, "%d", 42) == 2);
    free(text);
}

static int checked(char **text, const char *format, ...)
{
    typedef int printer(char **, int, const char *, va_list);
    va_list list;
    va_start(list, format);
    int length = ((printer *)lookup("__vasprintf_chk"))(text, 1, format, list);
    va_end(list);
    return length;
}

static void call___vasprintf_chk(void)
{
    char *text = NULL;
    NEED(checked(&text, "%d", 42) == 2);
    free(text);
}

static void call_canonicalize_file_name(void) { free(canonicalize_file_name(HERE)); }

static void call_scandirat(void)
{
    struct dirent **entries = NULL;
    int count = scandirat(AT_FDCWD, HERE, &entries, NULL, NULL);
    NEED(count > 0);
    while (count-- > 0)
        free(entries[count]);
    free(entries);
}

static void call_argz_create(void)
{
    static char word[] = "word";
    char *const words[] = { word, NULL };
    char *list = NULL;
    size_t size = 0;
    NEED(argz_create(words, &list, &size) == 0);
    free(list);
}

/* A list of two words, through every function that makes it longer. */
static void call_argz(void)
{
    char *list = NULL;
    size_t size = 0;
    NEED(argz_create_sep("one:two", ':', &list, &size) == 0);
    NEED(argz_add(&list, &size, "three") == 0 && argz_append(&list, &size, "four", 5) == 0);
    NEED(argz_insert(&list, &size, list, "zero") == 0);
    NEED(argz_replace(&list, &size, "one", "eleven", NULL) == 0);
    free(list);
}

static void call_envz(void)
{
    char *list = NULL, *other = NULL;
    size_t size = 0, more = 0;
    NEED(envz_add(&list, &size, "A", "1") == 0 && envz_add(&other, &more, "B", "2") == 0);
    NEED(envz_merge(&list, &size, other, more, 1) == 0);
    free(list);
    free(other);
}

static void call_obstack(void)
{
    struct obstack stack;
    obstack_init(&stack);
    obstack_blank(&stack, 100000); /* more than a chunk: _obstack_newchunk */
    NEED(obstack_printf(&stack, "%d", 42) == 2);
    obstack_free(&stack, NULL);
}

static void call_setlocale(void) { NEED(setlocale(LC_ALL, "C.UTF-8") != NULL); }

static void call_newlocale(void)
{
    locale_t locale = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
    NEED(locale != (locale_t)0);
    freelocale(locale);
}

static void duplicated(const char *name)
{
    locale_t locale = newlocale(LC_ALL_MASK, "C.UTF-8", (locale_t)0);
    locale_t copy = ((locale_t (*)(locale_t))lookup(name))(locale);
    NEED(copy != (locale_t)0);
    freelocale(copy);
    freelocale(locale);
}

static void call_duplocale(void) { duplicated("duplocale"); }
static void call___duplocale(void) { duplicated("__duplocale"); }

static void call_popen(void)
{
    FILE *stream = popen("exit 0", "r");
    NEED(stream != NULL && pclose(stream) == 0);
}

static void call_tmpfile(void)
{
    FILE *stream = tmpfile();
    NEED(stream != NULL && fclose(stream) == 0);
}

static int compare(const void *left, const void *right)
{
    return memcmp(left, right, 64);
}

static void call_qsort(void)
{
    static char records[1000][64]; /* too much for the stack */
    records[0][0] = 1;
    qsort(records, 1000, 64, compare);
}

/* Without a terminal it reads standard input, which the test provides. */
static void call_getpass(void)
{
    typedef char *asker(const char *);
    (void)setsid();
    NEED(((asker *)lookup("getpass"))("") != NULL);
}

static void call_backtrace_symbols(void)
{
    void *frames[8];
    free(backtrace_symbols(frames, backtrace(frames, 8)));
}

static void call_sem_open(void)
{
    char name[64];
    snprintf(name, sizeof name, "/probe-%ld", (long)getpid());
    sem_t *semaphore = sem_open(name, O_CREAT | O_EXCL, 0600, 1);
    NEED(semaphore != SEM_FAILED && sem_close(semaphore) == 0 && sem_unlink(name) == 0);
}

static void call___sched_cpualloc(void)
{
    free(((void *(*)(size_t))lookup("__sched_cpualloc"))(1024));
}

/* A stream takes its buffer by these when it is first used. */
static void buffered(const char *name, int orientation)
{
    FILE *stream = fopen("/dev/null", "r+");
    NEED(stream != NULL);
    if (orientation > 0)
        NEED(fwide(stream, 1) > 0);
    ((void (*)(FILE *))lookup(name))(stream);
    fclose(stream);
}

static void call__IO_default_doallocate(void) { buffered("_IO_default_doallocate", 0); }
static void call__IO_doallocbuf(void) { buffered("_IO_doallocbuf", 0); }
static void call__IO_file_doallocate(void) { buffered("_IO_file_doallocate", 0); }
static void call__IO_wdefault_doallocate(void) { buffered("_IO_wdefault_doallocate", 1); }
static void call__IO_wdoallocbuf(void) { buffered("_IO_wdoallocbuf", 1); }

const struct call of_glibc[] = {
    { "__strdup", call___strdup }, { "__strndup", call___strndup },
    { "__asprintf", call___asprintf }, { "__asprintf_chk", call___asprintf_chk },
    { "__vasprintf_chk", call___vasprintf_chk },
    { "canonicalize_file_name", call_canonicalize_file_name }, { "scandirat", call_scandirat },
    { "argz_create", call_argz_create }, { "argz_create_sep", call_argz },
    { "argz_add", call_argz }, { "argz_append", call_argz }, { "argz_insert", call_argz },
    { "argz_replace", call_argz }, { "envz_add", call_envz }, { "envz_merge", call_envz },
    { "_obstack_begin", call_obstack }, { "_obstack_newchunk", call_obstack },
    { "obstack_printf", call_obstack }, { "setlocale", call_setlocale },
    { "newlocale", call_newlocale }, { "duplocale", call_duplocale },
    { "__duplocale", call___duplocale }, { "popen", call_popen }, { "tmpfile", call_tmpfile },
    { "qsort", call_qsort }, { "getpass", call_getpass },
    { "backtrace_symbols", call_backtrace_symbols },
    { "sem_open", call_sem_open }, { "__sched_cpualloc", call___sched_cpualloc },
    { "_IO_default_doallocate", call__IO_default_doallocate },
    { "_IO_doallocbuf", call__IO_doallocbuf }, { "_IO_file_doallocate", call__IO_file_doallocate },
    { "_IO_wdefault_doallocate", call__IO_wdefault_doallocate },
    { "_IO_wdoallocbuf", call__IO_wdoallocbuf }, { NULL, NULL },
};

#endif
