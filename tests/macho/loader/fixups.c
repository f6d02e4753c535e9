// LC_DYLD_INFO: opcode streams of rebases and binds (<mach-o/loader.h>), and the fixing itself.
// Chained fixups are in chained.c.
#include "loader.h"
#include <string.h>

static uint64_t uleb(const uint8_t **at) {
    uint64_t value = 0;
    unsigned shift = 0;
    do value |= (uint64_t)(**at & 0x7f) << shift, shift += 7;
    while (*(*at)++ & 0x80);
    return value;
}

static int64_t sleb(const uint8_t **at) {
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;
    do byte = *(*at)++, value |= (uint64_t)(byte & 0x7f) << shift, shift += 7;
    while (byte & 0x80);
    if ((byte & 0x40) && shift < 64) value |= ~UINT64_C(0) << shift;
    return (int64_t)value;
}

static char *segment_at(const struct image *image, unsigned index, uint64_t offset) {
    if (index >= image->segment_count) refuse("%s: a fixup in no segment", image->path);
    return (char *)in_image(image, image->segments[index]->vmaddr) + offset;
}

static void each_rebase(struct image *image, fixup_fn *see, void *context) {
    const uint8_t *at = image->file + image->info->rebase_off, *end = at + image->info->rebase_size;
    char *where = NULL;
    while (at < end) {
        uint8_t opcode = *at & 0xf0, immediate = *at & 0x0f;
        uint64_t count = 0, skip = 0;
        at++;
        switch (opcode) {
        case 0x00: return;
        case 0x10: break; // type: pointers, the only one of 64-bit images
        case 0x20: where = segment_at(image, immediate, uleb(&at)); break;
        case 0x30: where += uleb(&at); break;
        case 0x40: where += immediate * 8; break;
        case 0x50: count = immediate; break;
        case 0x60: count = uleb(&at); break;
        case 0x70: count = 1, skip = uleb(&at); break;
        case 0x80: count = uleb(&at), skip = uleb(&at); break;
        default: refuse("%s: rebase opcode %#x", image->path, opcode);
        }
        for (; count; count--, where += 8 + skip) {
            uint64_t stored;
            memcpy(&stored, where, sizeof stored);
            struct fixup fixup = {.where = (uint64_t *)where, .target = (uintptr_t)in_image(image, stored)};
            see(image, &fixup, context);
        }
    }
}

static void each_bind(
    struct image *image, uint32_t from, uint32_t size, bool weak, bool lazy, fixup_fn *see, void *context) {
    const uint8_t *at = image->file + from, *end = at + size;
    struct fixup fixup = {.bind = true, .weak_bind = weak};
    char *where = NULL;
    while (at < end) {
        uint8_t opcode = *at & 0xf0, immediate = *at & 0x0f;
        uint64_t count = 0, skip = 0;
        at++;
        switch (opcode) {
        case 0x00:
            if (lazy) break; // ends one entry of many
            return;
        case 0x10: fixup.ordinal = immediate; break;
        case 0x20: fixup.ordinal = (int)uleb(&at); break;
        case 0x30: fixup.ordinal = immediate ? (int8_t)(0xf0 | immediate) : 0; break;
        case 0x40:
            fixup.name = (const char *)at;
            fixup.weak_import = immediate & 1;
            at += strlen((const char *)at) + 1;
            break;
        case 0x50: break; // type
        case 0x60: fixup.addend = sleb(&at); break;
        case 0x70: where = segment_at(image, immediate, uleb(&at)); break;
        case 0x80: where += uleb(&at); break;
        case 0x90: count = 1; break;
        case 0xa0: count = 1, skip = uleb(&at); break;
        case 0xb0: count = 1, skip = immediate * 8u; break;
        case 0xc0: count = uleb(&at), skip = uleb(&at); break;
        default: refuse("%s: bind opcode %#x", image->path, opcode);
        }
        for (; count; count--, where += 8 + skip) {
            fixup.where = (uint64_t *)where;
            see(image, &fixup, context);
        }
    }
}

// Lazy binds are bound with the others: no stub waits for its first call.
void each_fixup(struct image *image, fixup_fn *see, void *context) {
    if (image->chained) each_chained_fixup(image, see, context);
    const struct dyld_info_command *info = image->info;
    if (!info) return;
    each_rebase(image, see, context);
    each_bind(image, info->bind_off, info->bind_size, false, false, see, context);
    each_bind(image, info->lazy_bind_off, info->lazy_bind_size, false, true, see, context);
    each_bind(image, info->weak_bind_off, info->weak_bind_size, true, false, see, context);
}

static void fix(struct image *image, const struct fixup *fixup, void *context) {
    (void)context;
    uint64_t value = fixup->target;
    if (fixup->bind) {
        void *address = NULL;
        // A weak bind that finds nothing leaves what the rebase or the plain bind before it wrote.
        int ordinal = fixup->weak_bind ? ORDINAL_WEAK : fixup->ordinal;
        if (!find_import(image, fixup->name, ordinal, fixup->weak_import, &address)) {
            if (fixup->weak_bind) return;
            refuse("Symbol not found: %s\n  Referenced from: %s", fixup->name, image->path);
        }
        value = address ? (uintptr_t)interposed(image, address) + (uint64_t)fixup->addend : 0;
    }
    memcpy(fixup->where, &value, sizeof value);
}

void apply_fixups(struct image *image) {
    if (image->fixed) return;
    image->fixed = true;
    each_fixup(image, fix, NULL);
}
