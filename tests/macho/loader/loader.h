// What the loader's parts share.
#pragma once
#include "macho.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Images: what was mapped, in load order.
enum { MOST_IMAGES = 32, MOST_SEGMENTS = 16, MOST_LIBRARIES = 32 };

struct image {
    const char *path;
    const uint8_t *file; // the whole file
    char *base;          // where `low` was mapped
    uint64_t low, span;  // addresses in the file, __PAGEZERO left out
    uint32_t type;       // MH_EXECUTE, MH_DYLIB, MH_BUNDLE
    const struct segment_command_64 *segments[MOST_SEGMENTS];
    unsigned segment_count;
    struct image *libraries[MOST_LIBRARIES]; // by ordinal less one; &the_system for libSystem
    unsigned library_count;
    const struct symtab_command *symtab;
    const struct dyld_info_command *info;
    const struct linkedit_data_command *chained;
    const struct entry_point_command *entry;
    const char *install_name;
    bool late; // opened by dlopen
    bool fixed, initialised;
    long tlv_key; // of its thread-locals, 0 for none
    const void *tlv_template;
    size_t tlv_filled, tlv_size;
};

extern struct image the_system, *images[MOST_IMAGES];
extern unsigned image_count;

struct image *load_image(const char *path); // NULL: there is no such file
void load_needed(struct image *);           // what it names, not what those name
void *in_image(const struct image *, uint64_t address);
struct image *image_of(const void *address);
typedef void section_fn(struct image *, const struct section_64 *, void *context);
void each_section(struct image *, section_fn *, void *context);
void protect(struct image *);
void run_initialisers(struct image *);
extern struct start { // what initialisers and main are called with
    int argc;
    char **argv, **envp, **apple;
} start;

// Fixups: the same walk serves the search for tuples, which must not write, and the fixing.
struct fixup {
    uint64_t *where;
    uint64_t target;  // of a rebase: the address to write
    const char *name; // of a bind
    int ordinal;
    int64_t addend;
    bool bind, weak_bind, weak_import;
};
typedef void fixup_fn(struct image *, const struct fixup *, void *context);
void each_fixup(struct image *, fixup_fn *, void *context);
void each_chained_fixup(struct image *, fixup_fn *, void *context);
void apply_fixups(struct image *);

// Symbols.
void *find_export(const struct image *, const char *name);
bool find_import(struct image *, const char *name, int ordinal, bool weak, void **address);
void *find_host(const char *name); // host.c: the list of what libSystem has here
void print_host(void);
enum { MOST_HIDDEN = 8 };
extern const char *hidden[MOST_HIDDEN]; // names that begin so are not there

// Interposing.
struct tuple_count {
    unsigned live, absent, dropped;
};
extern struct tuple_count tuple_count;
void read_tuples(struct image *);
void *interposed(const struct image *caller, void *original);
// What the system's own code reaches by the public name of a function of ours.
#define PATCHED(function) ((__typeof__(&function))interposed(NULL, (void *)function))

// Thread-locals, threads.
void set_up_tlv(struct image *);
void enter_thread(void);
void hand_over_signals(void);
unsigned self(void);
int *darwin_errno(void);
void **slots(void);
extern unsigned thread_starts, thread_exits;

// An end that is Darwin's own: its message, and the signal it would have died of.
_Noreturn void fault(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

// The phase before any initialiser.
void take_early_blocks(void);
void check_early_calls(void);
