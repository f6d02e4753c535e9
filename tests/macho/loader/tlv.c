// Thread-locals (libdyld of dyld-1378, ThreadLocalVariables.cpp): a descriptor's function returns the
// address of the thread's copy. A thread's first touch of any of an image's takes storage for all of them
// from the *public* malloc, so from whoever interposed it; until that has returned, the next touch does
// the same. This is how a thread-local on the path of malloc never ends.
#include "thread.h"
#include "zones.h"
#include <string.h>

struct descriptor {
    void *(*function)(struct descriptor *);
    unsigned long key, offset;
};

// Called by code that takes it for a plain load: every register but the result's survives.
extern void *tlv_thunk(struct descriptor *);
#if defined(__x86_64__)
__asm__(".text\n.globl tlv_thunk\n.type tlv_thunk,@function\ntlv_thunk:\n"
        "push %rbp\nmov %rsp,%rbp\n"
        "push %rcx\npush %rdx\npush %rsi\npush %r8\npush %r9\npush %r10\npush %r11\n"
        "sub $512,%rsp\nand $-64,%rsp\nfxsave64 (%rsp)\n"
        "call tlv_address\n"
        "fxrstor64 (%rsp)\nlea -56(%rbp),%rsp\n"
        "pop %r11\npop %r10\npop %r9\npop %r8\npop %rsi\npop %rdx\npop %rcx\n"
        "pop %rbp\nret\n.size tlv_thunk,.-tlv_thunk\n");
#elif defined(__aarch64__)
#define PAIRS(op) \
    op " q0,q1,[sp,#160]\n" op " q2,q3,[sp,#192]\n" op " q4,q5,[sp,#224]\n" op " q6,q7,[sp,#256]\n" \
    op " q16,q17,[sp,#288]\n" op " q18,q19,[sp,#320]\n" op " q20,q21,[sp,#352]\n" op " q22,q23,[sp,#384]\n" \
    op " q24,q25,[sp,#416]\n" op " q26,q27,[sp,#448]\n" op " q28,q29,[sp,#480]\n" op " q30,q31,[sp,#512]\n"
#define WORDS(op) \
    op " x1,x2,[sp,#16]\n" op " x3,x4,[sp,#32]\n" op " x5,x6,[sp,#48]\n" op " x7,x8,[sp,#64]\n" \
    op " x9,x10,[sp,#80]\n" op " x11,x12,[sp,#96]\n" op " x13,x14,[sp,#112]\n" op " x15,x16,[sp,#128]\n"
__asm__(".text\n.globl tlv_thunk\n.type tlv_thunk,%function\ntlv_thunk:\n"
        "sub sp,sp,#560\nstp x29,x30,[sp]\nmov x29,sp\nstr x17,[sp,#144]\n"
        WORDS("stp") PAIRS("stp")
        "bl tlv_address\n"
        PAIRS("ldp") WORDS("ldp")
        "ldr x17,[sp,#144]\nldp x29,x30,[sp]\nadd sp,sp,#560\nret\n.size tlv_thunk,.-tlv_thunk\n");
#endif

static void release(void *storage) {
    PATCHED(sys_free)(storage);
}

static void *instantiate(unsigned long key) {
    struct image *image = NULL;
    for (unsigned i = 0; i < image_count; i++)
        if (images[i]->tlv_key == (long)key) image = images[i];
    if (!image) fault("a thread-local of no image");
    me.tlv_depth++;
    char *storage = PATCHED(sys_malloc)(image->tlv_size);
    if (!storage) fault("no storage for thread-locals");
    memset(storage, 0, image->tlv_size);
    if (image->tlv_filled) memcpy(storage, image->tlv_template, image->tlv_filled);
    sys_pthread_setspecific(key, storage);
    me.tlv_depth--;
    return storage;
}

__attribute__((used)) void *tlv_address(struct descriptor *descriptor) {
    char *storage = sys_pthread_getspecific(descriptor->key);
    if (!storage) storage = instantiate(descriptor->key);
    return storage + descriptor->offset;
}

static void see(struct image *image, const struct section_64 *section, void *context) {
    unsigned type = section->flags & SECTION_TYPE;
    uint64_t *begin = context, end = section->addr + section->size;
    if (type == S_THREAD_LOCAL_REGULAR || type == S_THREAD_LOCAL_ZEROFILL) {
        if (*begin == 0) {
            *begin = section->addr;
            image->tlv_template = in_image(image, section->addr);
        }
        image->tlv_size = end - *begin;
        if (type == S_THREAD_LOCAL_REGULAR) image->tlv_filled = end - *begin;
    }
    if (type != S_THREAD_LOCAL_VARIABLES) return;
    if (!image->tlv_key) {
        unsigned long key;
        if (sys_pthread_key_create(&key, release)) refuse("%s: no key for its thread-locals", image->path);
        image->tlv_key = (long)key;
    }
    struct descriptor *all = in_image(image, section->addr);
    for (uint64_t i = 0; i < section->size / sizeof *all; i++) {
        all[i].function = tlv_thunk;
        all[i].key = (unsigned long)image->tlv_key;
    }
}

// After the fixups, which bind the function to __tlv_bootstrap.
void set_up_tlv(struct image *image) {
    uint64_t begin = 0;
    each_section(image, see, &begin);
}
