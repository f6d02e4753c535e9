// Two-level lookup (dyld-1378 Loader.cpp): a bind names the library by its ordinal, or one of the
// lookups that go through all images.
#include "loader.h"
#include <string.h>

const char *hidden[MOST_HIDDEN];

void *find_export(const struct image *image, const char *name) {
    if (image == &the_system) return find_host(name);
    if (!image->symtab) return NULL;
    const struct nlist_64 *symbol = (const void *)(image->file + image->symtab->symoff);
    const char *names = (const char *)image->file + image->symtab->stroff;
    for (uint32_t i = 0; i < image->symtab->nsyms; i++, symbol++) {
        bool exported = (symbol->n_type & (N_STAB | N_PEXT | N_EXT)) == N_EXT;
        if (exported && (symbol->n_type & N_TYPE) == N_SECT && strcmp(names + symbol->n_strx, name) == 0)
            return in_image(image, symbol->n_value);
    }
    return NULL;
}

static void *find_anywhere(const char *name) {
    for (unsigned i = 0; i < image_count; i++) {
        if (images[i]->late && images[i]->type != MH_DYLIB) continue;
        void *address = find_export(images[i], name);
        if (address) return address;
    }
    return find_host(name);
}

// False: not found, and no weak import, which would be NULL.
bool find_import(struct image *image, const char *name, int ordinal, bool weak, void **address) {
    if (ordinal == ORDINAL_SELF) *address = find_export(image, name);
    else if (ordinal == ORDINAL_MAIN) *address = find_export(images[0], name);
    else if (ordinal == ORDINAL_FLAT || ordinal == ORDINAL_WEAK) *address = find_anywhere(name);
    else if (ordinal > 0 && (unsigned)ordinal <= image->library_count)
        *address = find_export(image->libraries[ordinal - 1], name);
    else refuse("%s: %s of library %d", image->path, name, ordinal);
    return *address || weak;
}
