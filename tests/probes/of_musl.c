/* Calls that musl answers from the public heap and glibc does not, or not by that name. */
#include "reaches.h"

#ifdef __GLIBC__

const struct call of_musl[] = { { NULL, NULL } };

#else

#include <aio.h>
#include <grp.h>
#include <iconv.h>
#include <libintl.h>
#include <netdb.h>
#include <pwd.h>
#include <search.h>
#include <shadow.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <wchar.h>

static void call_getpwnam_r(void)
{
    struct passwd entry, *found = NULL;
    char text[4096];
    NEED(getpwnam_r("root", &entry, text, sizeof text, &found) == 0 && found != NULL);
}

static void call_getpwuid_r(void)
{
    struct passwd entry, *found = NULL;
    char text[4096];
    NEED(getpwuid_r(0, &entry, text, sizeof text, &found) == 0 && found != NULL);
}

static void call_getgrnam_r(void)
{
    struct group entry, *found = NULL;
    char text[4096];
    NEED(getgrnam_r("root", &entry, text, sizeof text, &found) == 0 && found != NULL);
}

static void call_getgrgid_r(void)
{
    struct group entry, *found = NULL;
    char text[4096];
    NEED(getgrgid_r(0, &entry, text, sizeof text, &found) == 0 && found != NULL);
}

static void call_getgrouplist(void)
{
    gid_t groups[64];
    int count = 64;
    NEED(getgrouplist("root", 0, groups, &count) >= 0);
}

/* Only root may read what it looks for; it takes its buffer before. */
static void call_getspnam(void) { (void)getspnam("root"); }

static void call_gethostbyname2(void) { (void)gethostbyname2("127.0.0.1", AF_INET); }

static void call_gethostbyaddr(void)
{
    unsigned char loopback[] = { 127, 0, 0, 1 };
    (void)gethostbyaddr(loopback, sizeof loopback, AF_INET);
}

static void call_hsearch(void)
{
    ENTRY entry = { .key = "key" };
    NEED(hcreate(8) != 0 && hsearch(entry, ENTER) != NULL);
    hdestroy();
}

static void call_hsearch_r(void)
{
    static char keys[64][2];
    struct hsearch_data table = { 0 };
    ENTRY *found = NULL;
    NEED(hcreate_r(8, &table) != 0);
    for (int i = 0; i < 64; i++) { /* so many that the table grows */
        ENTRY entry = { .key = keys[i] };
        keys[i][0] = (char)('0' + i);
        NEED(hsearch_r(entry, ENTER, &found, &table) != 0);
    }
    hdestroy_r(&table);
}

static void call_iconv_open(void)
{
    iconv_t converter = iconv_open("UTF-8", "UTF-16");
    NEED(converter != (iconv_t)-1 && iconv_close(converter) == 0);
}

static void call_textdomain(void) { NEED(textdomain("probe") != NULL); }

static void listed(const char *name)
{
    typedef int lister(int, struct aiocb *const *, int, struct sigevent *);
    struct aiocb nothing = { .aio_lio_opcode = LIO_NOP }, *list[] = { &nothing };
    NEED(((lister *)lookup(name))(LIO_WAIT, list, 1, NULL) == 0);
}

static void call_lio_listio(void) { listed("lio_listio"); }
static void call_lio_listio64(void) { listed("lio_listio64"); }

static int scanned(const char *name, const void *format, ...)
{
    typedef int scanner(FILE *, const void *, va_list);
    FILE *stream = tmpfile();
    NEED(stream != NULL && fputs("word", stream) >= 0);
    rewind(stream);
    va_list list;
    va_start(list, format);
    int count = ((scanner *)lookup(name))(stream, format, list);
    va_end(list);
    fclose(stream);
    return count;
}

static void narrow(const char *name)
{
    char *word = NULL;
    NEED(scanned(name, "%ms", &word) == 1);
    free(word);
}

static void wide(const char *name)
{
    wchar_t *word = NULL;
    NEED(scanned(name, L"%mls", &word) == 1);
    free(word);
}

static void call_vfscanf(void) { narrow("vfscanf"); }
static void call___isoc99_vfscanf(void) { narrow("__isoc99_vfscanf"); }
static void call_vfwscanf(void) { wide("vfwscanf"); }
static void call___isoc99_vfwscanf(void) { wide("__isoc99_vfwscanf"); }

/* Debian adds it to musl, and no header. */
static void call_fts_read(void)
{
    static char here[] = HERE;
    char *const paths[] = { here, NULL };
    typedef void *opener(char *const *, int, void *);
    typedef void *reader(void *);
    typedef int closer(void *);
    void *walk = ((opener *)lookup("fts_open"))(paths, 0x10 /* FTS_PHYSICAL */, NULL);
    NEED(walk != NULL && ((reader *)lookup("fts_read"))(walk) != NULL);
    NEED(((void *(*)(void *, int))lookup("fts_children"))(walk, 0) != NULL);
    NEED(((closer *)lookup("fts_close"))(walk) == 0);
}

const struct call of_musl[] = {
    { "getpwnam_r", call_getpwnam_r }, { "getpwuid_r", call_getpwuid_r },
    { "getgrnam_r", call_getgrnam_r }, { "getgrgid_r", call_getgrgid_r },
    { "getgrouplist", call_getgrouplist }, { "getspnam", call_getspnam },
    { "gethostbyname2", call_gethostbyname2 },
    { "gethostbyaddr", call_gethostbyaddr }, { "hcreate", call_hsearch },
    { "hsearch", call_hsearch }, { "hdestroy", call_hsearch }, { "hsearch_r", call_hsearch_r },
    { "iconv_open", call_iconv_open }, { "iconv_close", call_iconv_open },
    { "textdomain", call_textdomain }, { "lio_listio", call_lio_listio },
    { "lio_listio64", call_lio_listio64 }, { "vfscanf", call_vfscanf },
    { "__isoc99_vfscanf", call___isoc99_vfscanf }, { "vfwscanf", call_vfwscanf },
    { "__isoc99_vfwscanf", call___isoc99_vfwscanf }, { "fts_open", call_fts_read },
    { "fts_read", call_fts_read }, { "fts_children", call_fts_read },
    { "fts_close", call_fts_read }, { NULL, NULL },
};

#endif
