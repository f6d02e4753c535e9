// Maps images: each is copied to anonymous memory, so that Darwin's 16 KiB pages need none of Linux's.
#include "loader.h"
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct image the_system = {.path = "/usr/lib/libSystem.B.dylib"}, *images[MOST_IMAGES];
unsigned image_count;

enum { DARWIN_PAGE = 0x4000 };

static const void *file_at(const struct image *image, uint64_t offset) {
    return image->file + offset;
}

void *in_image(const struct image *image, uint64_t address) {
    return image->base + (address - image->low);
}

struct image *image_of(const void *address) {
    for (unsigned i = 0; i < image_count; i++) {
        const char *p = address, *base = images[i]->base;
        if (p >= base && p < base + images[i]->span) return images[i];
    }
    return NULL;
}

// All of the file, for good: names and tables are read from it until the end.
static const uint8_t *read_file(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0) return NULL;
    if (fstat(fd, &status) != 0) refuse("%s: cannot be read", path);
    void *file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (file == MAP_FAILED) refuse("%s: cannot be mapped", path);
    return file;
}

static void read_commands(struct image *image) {
    const struct mach_header_64 *header = file_at(image, 0);
#if defined(__x86_64__)
    const uint32_t cpu = CPU_TYPE_X86_64;
#else
    const uint32_t cpu = CPU_TYPE_ARM64;
#endif
    if (header->magic != MH_MAGIC_64) refuse("%s: no 64-bit Mach-O file", image->path);
    if (header->cputype != cpu) refuse("%s: for another CPU", image->path);
    image->type = header->filetype;
    const struct load_command *command = file_at(image, sizeof *header);
    for (uint32_t i = 0; i < header->ncmds; i++) {
        const void *any = command;
        switch (command->cmd) {
        case LC_SEGMENT_64:
            if (image->segment_count == MOST_SEGMENTS) refuse("%s: too many segments", image->path);
            image->segments[image->segment_count++] = any;
            break;
        case LC_SYMTAB: image->symtab = any; break;
        case LC_DYLD_INFO:
        case LC_DYLD_INFO_ONLY: image->info = any; break;
        case LC_DYLD_CHAINED_FIXUPS: image->chained = any; break;
        case LC_MAIN: image->entry = any; break;
        case LC_ID_DYLIB:
            image->install_name = (const char *)any + ((const struct dylib_command *)any)->name;
            break;
        }
        command = (const void *)((const char *)command + command->cmdsize);
    }
}

// Rewrites `mrs xN, tpidrro_el0`, which Linux leaves zero, to read the register that thread.c lays
// Darwin's slots at: programs that inline pthread_getspecific find theirs.
static void rewrite_thread_register(char *text, size_t size) {
#if defined(__aarch64__)
    uint32_t *word = (uint32_t *)text;
    for (size_t i = 0; i < size / 4; i++)
        if ((word[i] & ~0x1fu) == 0xd53bd060u) word[i] = 0xd53bd040u | (word[i] & 0x1fu);
#else
    (void)text, (void)size;
#endif
}

static void map(struct image *image) {
    uint64_t low = UINT64_MAX, high = 0;
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct segment_command_64 *segment = image->segments[i];
        if (strcmp(segment->segname, "__PAGEZERO") == 0) continue;
        if (segment->vmaddr < low) low = segment->vmaddr;
        if (segment->vmaddr + segment->vmsize > high) high = segment->vmaddr + segment->vmsize;
    }
    image->low = low;
    image->span = high - low;
    char *room =
        mmap(NULL, image->span + DARWIN_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (room == MAP_FAILED) refuse("%s: no room for it", image->path);
    image->base = (char *)(((uintptr_t)room + DARWIN_PAGE - 1) & ~(uintptr_t)(DARWIN_PAGE - 1));
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct segment_command_64 *segment = image->segments[i];
        if (segment->filesize == 0) continue;
        char *to = in_image(image, segment->vmaddr);
        memcpy(to, file_at(image, segment->fileoff), segment->filesize);
        if (segment->initprot & 4) rewrite_thread_register(to, segment->filesize);
    }
}

// The last thing before the first instruction runs: text is sealed, __DATA_CONST too (SG_READ_ONLY).
void protect(struct image *image) {
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct segment_command_64 *segment = image->segments[i];
        if (segment->vmsize == 0 || strcmp(segment->segname, "__PAGEZERO") == 0) continue;
        int protection = segment->initprot & 7; // the same bits on both systems
        if (segment->flags & SG_READ_ONLY) protection &= ~PROT_WRITE;
        char *from = in_image(image, segment->vmaddr);
        if (mprotect(from, segment->vmsize, protection) != 0) refuse("%s: cannot be protected", image->path);
        if (protection & PROT_EXEC) __builtin___clear_cache(from, from + segment->vmsize);
    }
}

void each_section(struct image *image, section_fn *see, void *context) {
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct section_64 *section = (const void *)(image->segments[i] + 1);
        for (uint32_t k = 0; k < image->segments[i]->nsects; k++) see(image, section + k, context);
    }
}

// @rpath, @loader_path and @executable_path all mean the folder of the file that asks: enough here.
static struct image *needed(const struct image *by, const char *name) {
    char path[4096], folder[4096];
    if (strcmp(name, the_system.path) == 0) return &the_system;
    // The little that is here of libc++ is in the same list.
    if (strcmp(name, "/usr/lib/libc++.1.dylib") == 0) return &the_system;
    for (unsigned i = 0; i < image_count; i++)
        if (images[i]->install_name && strcmp(images[i]->install_name, name) == 0) return images[i];
    snprintf(folder, sizeof folder, "%s", by->path);
    const char *rest = name[0] == '@' ? strchr(name, '/') + 1 : name;
    snprintf(
        path, sizeof path, "%s%s%s", name[0] == '@' ? dirname(folder) : "", name[0] == '@' ? "/" : "", rest);
    struct image *image = load_image(path);
    if (!image) refuse("Library not loaded: %s\n  Referenced from: %s", name, by->path);
    return image;
}

struct image *load_image(const char *path) {
    for (unsigned i = 0; i < image_count; i++)
        if (strcmp(images[i]->path, path) == 0) return images[i];
    const uint8_t *file = read_file(path);
    if (!file) return NULL;
    if (image_count == MOST_IMAGES) refuse("%s: too many images", path);
    struct image *image = calloc(1, sizeof *image);
    image->path = strdup(path);
    image->file = file;
    read_commands(image);
    map(image);
    images[image_count++] = image;
    return image;
}

void load_needed(struct image *image) {
    const struct mach_header_64 *header = file_at(image, 0);
    const struct load_command *command = file_at(image, sizeof *header);
    for (uint32_t i = 0; i < header->ncmds; i++) {
        uint32_t cmd = command->cmd;
        if (cmd == LC_LOAD_DYLIB || cmd == LC_LOAD_WEAK_DYLIB || cmd == LC_REEXPORT_DYLIB ||
            cmd == LC_LOAD_UPWARD_DYLIB) {
            if (image->library_count == MOST_LIBRARIES) refuse("%s: too many libraries", image->path);
            const char *name = (const char *)command + ((const struct dylib_command *)command)->name;
            image->libraries[image->library_count++] = needed(image, name);
        }
        command = (const void *)((const char *)command + command->cmdsize);
    }
}

typedef void initialiser(int, char **, char **, char **, const void *);

static void run_section(struct image *image, const struct section_64 *section, void *context) {
    (void)context;
    static const uint64_t vars[8];
    void *from = in_image(image, section->addr);
    if ((section->flags & SECTION_TYPE) == S_MOD_INIT_FUNC_POINTERS)
        for (uint64_t i = 0; i < section->size / 8; i++)
            ((initialiser **)from)[i](start.argc, start.argv, start.envp, start.apple, vars);
    if ((section->flags & SECTION_TYPE) == S_INIT_FUNC_OFFSETS)
        for (uint64_t i = 0; i < section->size / 4; i++)
            ((initialiser *)(image->base + ((uint32_t *)from)[i]))(
                start.argc, start.argv, start.envp, start.apple, vars);
}

// What an image needs comes first (dyld-1378 Loader.cpp, runInitializersBottomUp).
void run_initialisers(struct image *image) {
    if (image == &the_system || image->initialised) return;
    image->initialised = true;
    for (unsigned i = 0; i < image->library_count; i++) run_initialisers(image->libraries[i]);
    each_section(image, run_section, NULL);
}
