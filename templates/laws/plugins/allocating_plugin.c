// A plug-in that allocates when it is loaded, called and unloaded, and exchanges blocks with the program.
#include "law.h"

static void *at_load;

__attribute__((constructor))
static void load(void)
{
    at_load = OPAQUE(malloc(777));
    CHECK(at_load != NULL, "malloc() in a plug-in's constructor to succeed; saw NULL");
    law_fill(at_load, 777, 3);
}

__attribute__((destructor))
static void unload(void)
{
    CHECK(law_intact(at_load, 777, 3) == 777, "the plug-in's block to be intact when it is unloaded; saw other bytes");
    free(at_load);
}

void *plugin_allocate(size_t size)
{
    void *block = OPAQUE(malloc(OPAQUE(size)));
    CHECK(block != NULL, "malloc(%zu) in a plug-in to succeed; saw NULL", size);
    law_fill(block, size, 5);
    return block;
}

void *plugin_resize(void *block, size_t size)
{
    return OPAQUE(realloc(block, OPAQUE(size)));
}

void plugin_free(void *block)
{
    free(block);
}
