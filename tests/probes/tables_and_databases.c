/* Patterns, tables, the environment, names of hosts and users: the same calls on every C library. */
#include "reaches.h"

#include <grp.h>
#include <ifaddrs.h>
#include <locale.h>
#include <net/if.h>
#include <netdb.h>
#include <pwd.h>
#include <regex.h>
#include <search.h>
#include <wordexp.h>

static void call_regcomp(void)
{
    regex_t pattern;
    NEED(regcomp(&pattern, "(a|b)*c", REG_EXTENDED) == 0);
    regfree(&pattern);
}

static void call_regexec(void)
{
    regex_t pattern;
    regmatch_t matches[3];
    NEED(regcomp(&pattern, "(a|b)*c", REG_EXTENDED) == 0);
    NEED(regexec(&pattern, "ababc", 3, matches, 0) == 0);
    regfree(&pattern);
}

static void call_wordexp(void)
{
    wordexp_t words;
    NEED(wordexp("one two", &words, WRDE_NOCMD) == 0 && words.we_wordc == 2);
    wordfree(&words);
}

static void call_getaddrinfo(void)
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST }, *found = NULL;
    NEED(getaddrinfo("127.0.0.1", NULL, &hints, &found) == 0);
    freeaddrinfo(found);
}

static void call_getifaddrs(void)
{
    struct ifaddrs *found = NULL;
    NEED(getifaddrs(&found) == 0);
    freeifaddrs(found);
}

static void call_if_nameindex(void)
{
    struct if_nameindex *found = if_nameindex();
    NEED(found != NULL);
    if_freenameindex(found);
}

static void call_setenv(void) { NEED(setenv("A_PROBE", "text", 1) == 0); }

static void call_putenv(void)
{
    static char text[] = "ANOTHER_PROBE=text";
    NEED(putenv(text) == 0);
}

static int compare(const void *left, const void *right)
{
    return strcmp(left, right);
}

static void keep(void *key)
{
    (void)key;
}

static void call_tsearch(void)
{
    void *root = NULL;
    NEED(tsearch("key", &root, compare) != NULL);
    tdestroy(root, keep);
}

static void call_tdelete(void)
{
    void *root = NULL;
    NEED(tsearch("key", &root, compare) != NULL && tsearch("other", &root, compare) != NULL);
    NEED(tdelete("key", &root, compare) != NULL && tdelete("other", &root, compare) != NULL);
}

static void call_hcreate_r(void)
{
    struct hsearch_data table = { 0 };
    NEED(hcreate_r(8, &table) != 0);
    hdestroy_r(&table);
}

const struct call tables_and_databases[] = {
    { "regcomp", call_regcomp }, { "regfree", call_regcomp }, { "regexec", call_regexec },
    { "wordexp", call_wordexp }, { "wordfree", call_wordexp },
    { "getaddrinfo", call_getaddrinfo }, { "freeaddrinfo", call_getaddrinfo },
    { "getifaddrs", call_getifaddrs }, { "freeifaddrs", call_getifaddrs },
    { "if_nameindex", call_if_nameindex }, { "if_freenameindex", call_if_nameindex },
    { "setenv", call_setenv }, { "putenv", call_putenv }, { "tsearch", call_tsearch },
    { "tdestroy", call_tsearch }, { "tdelete", call_tdelete }, { "hcreate_r", call_hcreate_r },
    { "hdestroy_r", call_hcreate_r }, { NULL, NULL },
};
