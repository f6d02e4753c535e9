//! The closed set of meanings that a symbol can have.
//!
//! A platform has many names, but only these meanings. Each is named after the C function that
//! defines it (C23, POSIX.1-2024, the glibc manual) or after the form of the C++ operator
//! ([new.delete]); which names carry which meaning on which platform is written in `specs/` alone.

use std::{collections::BTreeMap, sync::LazyLock};

use crate::prototype::Prototype;

mod form;

pub use form::Form;
use form::operator;

/// What a call does to the heap: the deciding question for completeness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Hands out a block.
    Allocates,
    /// Takes a block back.
    Frees,
    /// Takes a block and hands one out.
    Reallocates,
    /// Looks at a block that the heap handed out.
    Inspects,
    /// Asks or tells the heap something about itself.
    Tunes,
    /// Opens libraries, and decides which heap they find.
    Opens,
    /// Starts a thread, of which the heap may want to know; touches no block.
    StartsThread,
}

impl Effect {
    /// Whether it hands out, takes or looks at blocks: another heap's would split the heap.
    pub fn touches_blocks(self) -> bool {
        !matches!(self, Effect::Tunes | Effect::Opens | Effect::StartsThread)
    }
}

macro_rules! operations {
    ($($variant:ident $name:literal $effect:ident $proto:literal $meaning:literal;)*) => {
        /// A meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Operation {
            $(#[doc = concat!("`", $proto, "`: ", $meaning, ".")] $variant,)*
            /// `operator new` in one of its forms.
            New(Form),
            /// `operator delete` in one of its forms.
            Delete(Form),
        }

        impl Operation {
            /// All operations that are C functions, in the order in which shims define them.
            pub const C: &[Operation] = &[$(Operation::$variant),*];

            /// The name that specs use.
            pub fn name(self) -> String {
                match self {
                    $(Operation::$variant => $name.to_owned(),)*
                    Operation::New(form) => form.describe("new"),
                    Operation::Delete(form) => form.describe("delete"),
                }
            }

            /// What a call does.
            pub fn effect(self) -> Effect {
                match self {
                    $(Operation::$variant => Effect::$effect,)*
                    Operation::New(_) => Effect::Allocates,
                    Operation::Delete(_) => Effect::Frees,
                }
            }

            /// One phrase for `list` and `explain`.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Operation::$variant => $meaning,)*
                    Operation::New(form) if form.nothrow => "allocates, NULL on failure, never throws",
                    Operation::New(_) => "allocates, asks the new-handler, throws std::bad_alloc",
                    Operation::Delete(_) => "frees a block that the matching operator new allocated",
                }
            }

            fn parse_prototype(self) -> Prototype {
                let text = match self {
                    $(Operation::$variant => $proto.to_owned(),)*
                    Operation::New(form) => operator("void *operator new", "size_t size", form),
                    Operation::Delete(form) => operator("void operator delete", "void *ptr", form),
                };
                Prototype::parse(&text).expect("the operations' own prototypes are tested")
            }
        }
    };
}

operations! {
    Malloc "malloc" Allocates "void *malloc(size_t size)"
        "allocates size bytes (C23 7.24.3.6)";
    Calloc "calloc" Allocates "void *calloc(size_t nmemb, size_t size)"
        "allocates nmemb * size zeroed bytes; overflow is a failure (C23 7.24.3.2)";
    Realloc "realloc" Reallocates "void *realloc(void *ptr, size_t size)"
        "resizes a block and keeps its content; a failure keeps the block (C23 7.24.3.7)";
    Free "free" Frees "void free(void *ptr)"
        "frees a block, keeps errno (POSIX.1-2024 free)";
    Memalign "memalign" Allocates "void *memalign(size_t alignment, size_t size)"
        "allocates at an alignment, which the platform may round up (memalign(3))";
    AlignedAlloc "aligned_alloc" Allocates "void *aligned_alloc(size_t alignment, size_t size)"
        "allocates at an alignment (C23 7.24.3.1)";
    PosixMemalign "posix_memalign" Allocates
        "int posix_memalign(void **memptr, size_t alignment, size_t size)"
        "allocates at an alignment; returns an error number, *memptr is untouched on failure (POSIX.1-2024 posix_memalign)";
    Valloc "valloc" Allocates "void *valloc(size_t size)"
        "allocates at a page (valloc(3))";
    Pvalloc "pvalloc" Allocates "void *pvalloc(size_t size)"
        "allocates whole pages at a page (pvalloc(3))";
    Reallocarray "reallocarray" Reallocates "void *reallocarray(void *ptr, size_t nmemb, size_t size)"
        "resizes a block to nmemb * size bytes; overflow is a failure (POSIX.1-2024 reallocarray)";
    FreeSized "free_sized" Frees "void free_sized(void *ptr, size_t size)"
        "frees a block whose requested size is known (C23 7.24.3.4)";
    FreeAlignedSized "free_aligned_sized" Frees
        "void free_aligned_sized(void *ptr, size_t alignment, size_t size)"
        "frees a block whose requested alignment and size are known (C23 7.24.3.5)";
    MallocUsableSize "malloc_usable_size" Inspects "size_t malloc_usable_size(void *ptr)"
        "tells how many bytes of a block may be used, 0 for NULL (malloc_usable_size(3))";
    Mallopt "mallopt" Tunes "int mallopt(int param, int value)"
        "sets a parameter of the C library's heap; 0 says that it could not (mallopt(3))";
    MallocTrim "malloc_trim" Tunes "int malloc_trim(size_t pad)"
        "returns free memory to the system; 0 says that none was returned (malloc_trim(3))";
    Mallinfo "mallinfo" Tunes "struct mallinfo mallinfo(void)"
        "tells the size of the C library's heap (mallinfo(3))";
    Mallinfo2 "mallinfo2" Tunes "struct mallinfo2 mallinfo2(void)"
        "tells the size of the C library's heap (mallinfo(3))";
    MallocInfo "malloc_info" Tunes "int malloc_info(int options, FILE *stream)"
        "writes the state of the C library's heap as XML (malloc_info(3))";
    MallocStats "malloc_stats" Tunes "void malloc_stats(void)"
        "writes the state of the C library's heap to standard error (malloc_stats(3))";
    Reallocf "reallocf" Reallocates "void *reallocf(void *ptr, size_t size)"
        "as realloc, but a failure frees the block (FreeBSD reallocf(3))";
    Reallocarrayf "reallocarrayf" Reallocates
        "void *reallocarrayf(void *ptr, size_t nmemb, size_t size)"
        "as reallocarray, but a failure frees the block (Apple malloc_private.h)";
    Reallocarr "reallocarr" Reallocates "int reallocarr(void *ptr, size_t nmemb, size_t size)"
        "resizes the block that *ptr points at and stores the new one there; returns an error number (NetBSD reallocarr(3))";
    Recallocarray "recallocarray" Reallocates
        "void *recallocarray(void *ptr, size_t oldnmemb, size_t nmemb, size_t size)"
        "as reallocarray, but what is added or given up is zeroed (OpenBSD recallocarray(3))";
    Mallocx "mallocx" Allocates "void *mallocx(size_t size, int flags)"
        "allocates; flags carry the alignment's logarithm and whether to zero (jemalloc(3))";
    Rallocx "rallocx" Reallocates "void *rallocx(void *ptr, size_t size, int flags)"
        "resizes a block; flags as for mallocx (jemalloc(3))";
    Xallocx "xallocx" Inspects "size_t xallocx(void *ptr, size_t size, size_t extra, int flags)"
        "resizes a block in its place, as far as that can be done, and tells its real size (jemalloc(3))";
    Sallocx "sallocx" Inspects "size_t sallocx(const void *ptr, int flags)"
        "tells the real size of a block (jemalloc(3))";
    Dallocx "dallocx" Frees "void dallocx(void *ptr, int flags)"
        "frees a block (jemalloc(3))";
    Sdallocx "sdallocx" Frees "void sdallocx(void *ptr, size_t size, int flags)"
        "frees a block whose requested size is known (jemalloc(3))";
    Nallocx "nallocx" Tunes "size_t nallocx(size_t size, int flags)"
        "tells the real size that mallocx would give (jemalloc(3))";
    Mallctl "mallctl" Tunes
        "int mallctl(const char *name, void *oldp, size_t *oldlenp, void *newp, size_t newlen)"
        "reads or sets a value of jemalloc by name; ENOENT says that there is none (jemalloc(3))";
    Mallctlnametomib "mallctlnametomib" Tunes
        "int mallctlnametomib(const char *name, size_t *mibp, size_t *miblenp)"
        "translates a name of mallctl; ENOENT says that there is none (jemalloc(3))";
    Mallctlbymib "mallctlbymib" Tunes
        "int mallctlbymib(const size_t *mib, size_t miblen, void *oldp, size_t *oldlenp, void *newp, size_t newlen)"
        "reads or sets a value of jemalloc by translated name (jemalloc(3))";
    MallocStatsPrint "malloc_stats_print" Tunes
        "void malloc_stats_print(malloc_write_cb write_cb, void *cbopaque, const char *opts)"
        "writes the state of jemalloc's heap through a callback (jemalloc(3))";
    MallocGoodSize "malloc_good_size" Tunes "size_t malloc_good_size(size_t size)"
        "tells how many bytes a block for size bytes would have (Apple malloc(3))";
    MallocDefaultZone "malloc_default_zone" Tunes "malloc_zone_t *malloc_default_zone(void)"
        "tells the zone that malloc takes from (Apple malloc/malloc.h)";
    MallocZoneFromPtr "malloc_zone_from_ptr" Inspects
        "malloc_zone_t *malloc_zone_from_ptr(const void *ptr)"
        "tells the zone that a block is from, NULL if from none (Apple malloc/malloc.h)";
    MallocZoneBatchMalloc "malloc_zone_batch_malloc" Allocates
        "unsigned malloc_zone_batch_malloc(malloc_zone_t *zone, size_t size, void **results, unsigned count)"
        "allocates up to count blocks of one size and tells how many (Apple malloc/malloc.h)";
    MallocZoneBatchFree "malloc_zone_batch_free" Frees
        "void malloc_zone_batch_free(malloc_zone_t *zone, void **blocks, unsigned count)"
        "frees count blocks and clears their places in the list (Apple malloc/malloc.h)";
    MallocZoneMallocWithOptions "malloc_zone_malloc_with_options" Allocates
        "void *malloc_zone_malloc_with_options(malloc_zone_t *zone, size_t alignment, size_t size, malloc_zone_malloc_options_t options)"
        "allocates at an alignment (0: the default one), zeroed if the options say so (Apple malloc/malloc.h)";
    MallocZoneClaimedAddress "malloc_zone_claimed_address" Inspects
        "boolean_t malloc_zone_claimed_address(malloc_zone_t *zone, void *ptr)"
        "tells whether an address may be a zone's: false is certain (Apple malloc/malloc.h)";
    MallocZonePressureRelief "malloc_zone_pressure_relief" Tunes
        "size_t malloc_zone_pressure_relief(malloc_zone_t *zone, size_t goal)"
        "returns free memory to the system and tells how much (Apple malloc/malloc.h)";
    Msize "_msize" Inspects "size_t _msize(void *ptr)"
        "tells how many bytes of a block may be used; NULL is an invalid parameter (UCRT _msize)";
    Expand "_expand" Reallocates "void *_expand(void *ptr, size_t size)"
        "resizes a block in its place or fails (UCRT _expand)";
    Recalloc "_recalloc" Reallocates "void *_recalloc(void *ptr, size_t nmemb, size_t size)"
        "resizes a block and zeroes what is added (UCRT _recalloc)";
    WinAlignedMalloc "_aligned_malloc" Allocates "void *_aligned_malloc(size_t size, size_t alignment)"
        "allocates at an alignment, for _aligned_free alone (UCRT _aligned_malloc)";
    WinAlignedRealloc "_aligned_realloc" Reallocates
        "void *_aligned_realloc(void *ptr, size_t size, size_t alignment)"
        "resizes a block of the _aligned family (UCRT _aligned_realloc)";
    WinAlignedRecalloc "_aligned_recalloc" Reallocates
        "void *_aligned_recalloc(void *ptr, size_t nmemb, size_t size, size_t alignment)"
        "resizes a block of the _aligned family and zeroes what is added (UCRT _aligned_recalloc)";
    WinAlignedOffsetMalloc "_aligned_offset_malloc" Allocates
        "void *_aligned_offset_malloc(size_t size, size_t alignment, size_t offset)"
        "allocates so that the address at an offset is aligned (UCRT _aligned_offset_malloc)";
    WinAlignedOffsetRealloc "_aligned_offset_realloc" Reallocates
        "void *_aligned_offset_realloc(void *ptr, size_t size, size_t alignment, size_t offset)"
        "resizes a block that is aligned at an offset (UCRT _aligned_offset_realloc)";
    WinAlignedOffsetRecalloc "_aligned_offset_recalloc" Reallocates
        "void *_aligned_offset_recalloc(void *ptr, size_t nmemb, size_t size, size_t alignment, size_t offset)"
        "resizes a block that is aligned at an offset and zeroes what is added (UCRT _aligned_offset_recalloc)";
    WinAlignedMsize "_aligned_msize" Inspects
        "size_t _aligned_msize(void *ptr, size_t alignment, size_t offset)"
        "tells how many bytes of a block of the _aligned family may be used (UCRT _aligned_msize)";
    WinAlignedFree "_aligned_free" Frees "void _aligned_free(void *ptr)"
        "frees a block of the _aligned family (UCRT _aligned_free)";
    Strdup "strdup" Allocates "char *strdup(const char *string)"
        "copies a string into a block (POSIX.1-2024 strdup)";
    Wcsdup "wcsdup" Allocates "wchar_t *wcsdup(const wchar_t *string)"
        "copies a wide string into a block (POSIX.1-2024 wcsdup)";
    Mbsdup "_mbsdup" Allocates "unsigned char *_mbsdup(const unsigned char *string)"
        "copies a multibyte string into a block (UCRT _mbsdup)";
    Dupenv "_dupenv_s" Allocates "int _dupenv_s(char **buffer, size_t *length, const char *name)"
        "copies a variable of the environment into a block (UCRT _dupenv_s)";
    Wdupenv "_wdupenv_s" Allocates
        "int _wdupenv_s(wchar_t **buffer, size_t *length, const wchar_t *name)"
        "copies a variable of the environment into a block (UCRT _wdupenv_s)";
    Fullpath "_fullpath" Allocates "char *_fullpath(char *buffer, const char *path, size_t length)"
        "makes an absolute path, in a block if there is no buffer (UCRT _fullpath)";
    Wfullpath "_wfullpath" Allocates
        "wchar_t *_wfullpath(wchar_t *buffer, const wchar_t *path, size_t length)"
        "makes an absolute path, in a block if there is no buffer (UCRT _wfullpath)";
    Getcwd "_getcwd" Allocates "char *_getcwd(char *buffer, int length)"
        "tells the working directory, in a block if there is no buffer (UCRT _getcwd)";
    Wgetcwd "_wgetcwd" Allocates "wchar_t *_wgetcwd(wchar_t *buffer, int length)"
        "tells the working directory, in a block if there is no buffer (UCRT _wgetcwd)";
    Getdcwd "_getdcwd" Allocates "char *_getdcwd(int drive, char *buffer, int length)"
        "tells a drive's working directory, in a block if there is no buffer (UCRT _getdcwd)";
    Wgetdcwd "_wgetdcwd" Allocates "wchar_t *_wgetdcwd(int drive, wchar_t *buffer, int length)"
        "tells a drive's working directory, in a block if there is no buffer (UCRT _wgetdcwd)";
    Tempnam "_tempnam" Allocates "char *_tempnam(const char *directory, const char *prefix)"
        "makes a file's name in a block (UCRT _tempnam)";
    Wtempnam "_wtempnam" Allocates
        "wchar_t *_wtempnam(const wchar_t *directory, const wchar_t *prefix)"
        "makes a file's name in a block (UCRT _wtempnam)";
    Dlopen "dlopen" Opens "void *dlopen(const char *file, int mode)"
        "opens a library, which with RTLD_DEEPBIND looks into its own libraries first (dlopen(3))";
    PthreadCreate "pthread_create" StartsThread
        "int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *), void *argument)"
        "starts a thread; returns an error number (POSIX.1-2024 pthread_create)";
    ThrdCreate "thrd_create" StartsThread
        "int thrd_create(thrd_t *thread, int (*start)(void *), void *argument)"
        "starts a thread; returns thrd_success or why not (C23 7.28.5.1)";
}

impl Operation {
    /// The twenty replaceable operators, bases before what derives from them.
    pub fn operators() -> Vec<Operation> {
        let mut all = Vec::new();
        for delete in [false, true] {
            for nothrow in [false, true] {
                for sized in [false, true] {
                    if sized && (nothrow || !delete) {
                        continue;
                    }
                    for (aligned, array) in
                        [(false, false), (false, true), (true, false), (true, true)]
                    {
                        let form = Form { array, sized, aligned, nothrow };
                        all.push(if delete {
                            Operation::Delete(form)
                        } else {
                            Operation::New(form)
                        });
                    }
                }
            }
        }
        all
    }

    /// Every operation.
    pub fn all() -> Vec<Operation> {
        Operation::C.iter().copied().chain(Operation::operators()).collect()
    }

    /// The operation of that name.
    pub fn named(name: &str) -> Option<Operation> {
        static NAMES: LazyLock<BTreeMap<String, Operation>> =
            LazyLock::new(|| Operation::all().into_iter().map(|op| (op.name(), op)).collect());
        NAMES.get(name).copied()
    }

    /// The form whose public symbol a derived operator calls by default.
    pub fn base(self) -> Option<Operation> {
        match self {
            Operation::New(form) => form.base(false).map(Operation::New),
            Operation::Delete(form) => form.base(true).map(Operation::Delete),
            Operation::Reallocarray => Some(Operation::Realloc),
            _ => None,
        }
    }

    /// The prototype that defines the parameters' names and types.
    pub fn prototype(self) -> &'static Prototype {
        static PROTOTYPES: LazyLock<BTreeMap<Operation, Prototype>> = LazyLock::new(|| {
            Operation::all().into_iter().map(|op| (op, op.parse_prototype())).collect()
        });
        &PROTOTYPES[&self]
    }

    /// The operation that takes back what this one hands out; `None` if it hands out nothing.
    pub fn freed_by(self) -> Option<Operation> {
        use Operation as Op;
        match self {
            Op::WinAlignedMalloc
            | Op::WinAlignedRealloc
            | Op::WinAlignedRecalloc
            | Op::WinAlignedOffsetMalloc
            | Op::WinAlignedOffsetRealloc
            | Op::WinAlignedOffsetRecalloc => Some(Op::WinAlignedFree),
            Op::New(form) => Some(Op::Delete(Form { nothrow: false, ..form })),
            _ => {
                matches!(self.effect(), Effect::Allocates | Effect::Reallocates).then_some(Op::Free)
            }
        }
    }

    /// Whether it is a C++ operator.
    pub fn is_operator(self) -> bool {
        matches!(self, Operation::New(_) | Operation::Delete(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_twenty_operators_and_every_name_is_unique() {
        assert_eq!(Operation::operators().len(), 20);
        let mut names: Vec<_> = Operation::all().iter().map(|op| op.name()).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), Operation::all().len());
    }

    #[test]
    fn every_operation_has_a_prototype_and_is_found_by_name() {
        for op in Operation::all() {
            assert!(!op.prototype().name.is_empty());
            assert_eq!(Operation::named(&op.name()), Some(op));
        }
    }

    #[test]
    fn a_derived_operator_ends_at_a_plain_or_aligned_base() {
        for mut op in Operation::operators() {
            while let Some(base) = op.base() {
                op = base;
            }
            match op {
                Operation::New(f) | Operation::Delete(f) => {
                    assert!(!f.array && !f.sized && !f.nothrow);
                }
                _ => panic!("an operator's base is an operator"),
            }
        }
    }
}
