// Interposing as dyld does it (dyld-1378 DyldRuntimeState.cpp, buildInterposingTables).
//
// Tuples are read before any image is fixed: of a tuple's first word only a rebase counts, of its second
// only a bind. They match by the address that a name led to, not by the name, and hold in every image but
// their own, in whose place stands what held before: several dylibs form a chain. Only dylibs that are
// there at launch have any.
#include "loader.h"
#include <string.h>

struct tuple {
    const struct image *image;
    uint64_t *words;
    void *replacement, *original;
    bool weak_bind, bound;
};
enum { MOST_TUPLES = 1024 };
static struct tuple tuples[MOST_TUPLES];
static unsigned count;
struct tuple_count tuple_count;

// dyld takes the section's type or its name, in a segment of data (dyld-1378 MachOAnalyzer,
// forEachInterposingSection).
static void find_tuples(struct image *image, const struct section_64 *section, void *context) {
    (void)context;
    bool data = strncmp(section->segname, "__DATA", 6) == 0 || strncmp(section->segname, "__AUTH", 6) == 0;
    bool named = strncmp(section->sectname, "__interpose", 16) == 0;
    if (!data || !(named || (section->flags & SECTION_TYPE) == S_INTERPOSING)) return;
    uint64_t *words = in_image(image, section->addr);
    for (uint64_t i = 0; i < section->size / 16; i++) {
        if (count == MOST_TUPLES) refuse("%s: too many tuples", image->path);
        tuples[count++] = (struct tuple){.image = image, .words = words + 2 * i};
    }
}

static void peek(struct image *image, const struct fixup *fixup, void *context) {
    for (unsigned i = *(unsigned *)context; i < count; i++) {
        if (fixup->where == tuples[i].words) {
            if (!fixup->bind) tuples[i].replacement = (void *)fixup->target;
            else tuples[i].weak_bind = true;
        } else if (fixup->where == tuples[i].words + 1 && fixup->bind && !fixup->weak_bind) {
            tuples[i].bound = true;
            if (!find_import(image, fixup->name, fixup->ordinal, fixup->weak_import, &tuples[i].original))
                refuse("Symbol not found: %s\n  Referenced from: %s (its tuples are lost)", fixup->name,
                    image->path);
        }
    }
}

void read_tuples(struct image *image) {
    if (image->type != MH_DYLIB || image->late) return;
    unsigned first = count, kept = count;
    each_section(image, find_tuples, NULL);
    if (count == first) return;
    each_fixup(image, peek, &first);
    for (unsigned i = first; i < count; i++) {
        const struct tuple *tuple = &tuples[i];
        if (!tuple->replacement || !tuple->bound) {
            tuple_count.dropped++;
            note("warning: %s: tuple %u dropped: %s", image->path, i - first,
                tuple->replacement ? "what it replaces is no bind"
                                   : "its replacement is no rebase, as of a weak function");
        } else if (!tuple->original) {
            tuple_count.absent++;
        } else {
            if (tuple->weak_bind)
                note("warning: %s: tuple %u: its replacement is a weak function", image->path, i - first);
            tuples[kept++] = *tuple;
            tuple_count.live++;
        }
    }
    count = kept;
}

void *interposed(const struct image *caller, void *original) {
    void *address = original;
    for (unsigned i = 0; i < count; i++) {
        if (tuples[i].original != original) continue;
        if (tuples[i].image == caller) return address;
        address = tuples[i].replacement;
    }
    return address;
}
