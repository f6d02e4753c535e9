// The parts of the Mach-O format that the loader reads (<mach-o/loader.h>, <mach-o/nlist.h>,
// <mach-o/fixup-chains.h>): Linux has no such headers.
#pragma once
#include <stdint.h>

#define MH_MAGIC_64 0xfeedfacfu
#define CPU_TYPE_X86_64 0x01000007u
#define CPU_TYPE_ARM64 0x0100000cu
enum { MH_EXECUTE = 2, MH_DYLIB = 6, MH_BUNDLE = 8 };

struct mach_header_64 {
    uint32_t magic, cputype, cpusubtype, filetype, ncmds, sizeofcmds, flags, reserved;
};

#define LC_REQ_DYLD 0x80000000u
#define LC_SYMTAB 0x2u
#define LC_LOAD_DYLIB 0xcu
#define LC_ID_DYLIB 0xdu
#define LC_LOAD_WEAK_DYLIB (0x18u | LC_REQ_DYLD)
#define LC_SEGMENT_64 0x19u
#define LC_REEXPORT_DYLIB (0x1fu | LC_REQ_DYLD)
#define LC_DYLD_INFO 0x22u
#define LC_DYLD_INFO_ONLY (0x22u | LC_REQ_DYLD)
#define LC_LOAD_UPWARD_DYLIB (0x23u | LC_REQ_DYLD)
#define LC_MAIN (0x28u | LC_REQ_DYLD)
#define LC_DYLD_CHAINED_FIXUPS (0x34u | LC_REQ_DYLD)

struct load_command {
    uint32_t cmd, cmdsize;
};

struct segment_command_64 {
    uint32_t cmd, cmdsize;
    char segname[16];
    uint64_t vmaddr, vmsize, fileoff, filesize;
    uint32_t maxprot, initprot, nsects, flags;
};
#define SG_READ_ONLY 0x10u

struct section_64 {
    char sectname[16], segname[16];
    uint64_t addr, size;
    uint32_t offset, align, reloff, nreloc, flags, reserved1, reserved2, reserved3;
};
#define SECTION_TYPE 0xffu
#define S_ATTR_SOME_INSTRUCTIONS 0x00000400u
enum {
    S_MOD_INIT_FUNC_POINTERS = 0x9,
    S_INTERPOSING = 0xd,
    S_THREAD_LOCAL_REGULAR = 0x11,
    S_THREAD_LOCAL_ZEROFILL = 0x12,
    S_THREAD_LOCAL_VARIABLES = 0x13,
    S_INIT_FUNC_OFFSETS = 0x16,
};

struct dylib_command {
    uint32_t cmd, cmdsize, name, timestamp, current_version, compatibility_version;
};

struct symtab_command {
    uint32_t cmd, cmdsize, symoff, nsyms, stroff, strsize;
};

struct dyld_info_command {
    uint32_t cmd, cmdsize, rebase_off, rebase_size, bind_off, bind_size, weak_bind_off, weak_bind_size,
        lazy_bind_off, lazy_bind_size, export_off, export_size;
};

struct linkedit_data_command {
    uint32_t cmd, cmdsize, dataoff, datasize;
};

struct entry_point_command {
    uint32_t cmd, cmdsize;
    uint64_t entryoff, stacksize;
};

struct nlist_64 {
    uint32_t n_strx;
    uint8_t n_type, n_sect;
    uint16_t n_desc;
    uint64_t n_value;
};
enum { N_STAB = 0xe0, N_PEXT = 0x10, N_TYPE = 0x0e, N_EXT = 0x01, N_UNDF = 0x0, N_ABS = 0x2, N_SECT = 0xe };

enum { ORDINAL_SELF = 0, ORDINAL_MAIN = -1, ORDINAL_FLAT = -2, ORDINAL_WEAK = -3 };

struct dyld_chained_fixups_header {
    uint32_t fixups_version, starts_offset, imports_offset, symbols_offset, imports_count, imports_format,
        symbols_format;
};

struct dyld_chained_starts_in_segment {
    uint32_t size;
    uint16_t page_size, pointer_format;
    uint64_t segment_offset;
    uint32_t max_valid_pointer;
    uint16_t page_count, page_start[];
} __attribute__((packed));
enum { DYLD_CHAINED_PTR_64 = 2, DYLD_CHAINED_PTR_64_OFFSET = 6, DYLD_CHAINED_PTR_START_NONE = 0xffff };
