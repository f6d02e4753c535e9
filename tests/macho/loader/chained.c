// LC_DYLD_CHAINED_FIXUPS (<mach-o/fixup-chains.h>): pointer formats 2 (the target is an address) and 6
// (an offset), which linkers write for x86-64 and arm64. arm64e has others, and no Linux runs it.
#include "loader.h"
#include <string.h>

struct imports {
    const uint8_t *table;
    const char *names;
    uint32_t count, format;
};

static void import_at(
    const struct image *image, const struct imports *imports, uint32_t index, struct fixup *fixup) {
    if (index >= imports->count) refuse("%s: import %u of %u", image->path, index, imports->count);
    uint64_t name;
    fixup->addend = 0;
    if (imports->format == 3) {
        uint64_t words[2];
        memcpy(words, imports->table + index * 16, sizeof words);
        fixup->ordinal = (int16_t)words[0];
        fixup->weak_import = words[0] >> 16 & 1;
        name = words[0] >> 32;
        fixup->addend = (int64_t)words[1];
    } else {
        uint32_t word, width = imports->format == 2 ? 8 : 4;
        memcpy(&word, imports->table + index * width, sizeof word);
        fixup->ordinal = (int8_t)word;
        fixup->weak_import = word >> 8 & 1;
        name = word >> 9;
        int32_t addend = 0;
        if (width == 8) memcpy(&addend, imports->table + index * width + 4, sizeof addend);
        fixup->addend = addend;
    }
    fixup->name = imports->names + name;
}

static void chain(struct image *image, const struct imports *imports, unsigned format, char *where,
    fixup_fn *see, void *context) {
    for (;;) {
        uint64_t word;
        memcpy(&word, where, sizeof word);
        struct fixup fixup = {.where = (uint64_t *)where};
        if (word >> 63) {
            fixup.bind = true;
            import_at(image, imports, word & 0xffffff, &fixup);
            fixup.addend += word >> 24 & 0xff;
        } else {
            uint64_t target = word & UINT64_C(0xfffffffff), high = word >> 36 & 0xff;
            // Format 2 adds the slide before the top byte, 6 counts from the image's start.
            uint64_t to =
                (uintptr_t)(format == DYLD_CHAINED_PTR_64 ? in_image(image, target) : image->base + target);
            fixup.target = to | high << 56;
        }
        see(image, &fixup, context);
        uint64_t next = word >> 51 & 0xfff;
        if (next == 0) return;
        where += next * 4;
    }
}

void each_chained_fixup(struct image *image, fixup_fn *see, void *context) {
    const uint8_t *data = image->file + image->chained->dataoff;
    const struct dyld_chained_fixups_header *header = (const void *)data;
    struct imports imports = {
        data + header->imports_offset,
        (const char *)data + header->symbols_offset,
        header->imports_count,
        header->imports_format,
    };
    if (header->symbols_format != 0 || imports.format < 1 || imports.format > 3)
        refuse("%s: chained imports of format %u", image->path, imports.format);
    const uint32_t *starts = (const void *)(data + header->starts_offset);
    for (uint32_t i = 0; i < starts[0]; i++) {
        if (starts[1 + i] == 0) continue;
        const struct dyld_chained_starts_in_segment *segment =
            (const void *)((const char *)starts + starts[1 + i]);
        unsigned format = segment->pointer_format;
        if (format != DYLD_CHAINED_PTR_64 && format != DYLD_CHAINED_PTR_64_OFFSET)
            refuse("%s: chained pointers of format %u", image->path, format);
        for (unsigned page = 0; page < segment->page_count; page++) {
            uint16_t first = segment->page_start[page];
            if (first == DYLD_CHAINED_PTR_START_NONE) continue;
            char *where = image->base + segment->segment_offset + (uint64_t)page * segment->page_size + first;
            chain(image, &imports, format, where, see, context);
        }
    }
}
