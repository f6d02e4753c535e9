//! How exported functions are answered, and whether derived operators reach their base.

use super::toolbox::{Toolbox, have};
use alloc8_gen::artifact::*;

/// A base, a derived form that jumps to it, a local worker, and names for the worker.
const SHIM: &str = r#"
    typedef unsigned long size;
    void *own(size n) { static char heap[64]; heap[0] += (char)n; return heap; }
    void *base(size n) { return own(n); }
    void *derived(size n) { return base(n); }
    void *far(size n) { return derived(n); }
    void *malloc(size n) __attribute__((alias("own")));
    void *other(size n);
    void *outside(size n) { return other(n); }
    void *both(size n) { char *p = own(n); return other(n + (size)p); }
"#;
/// Everything public, but the worker is local.
const MAP: &str = "{ global: base; derived; far; malloc; outside; both; local: *; };";

struct Built {
    bytes: Vec<u8>,
    object: SharedObject,
}

impl Built {
    fn read(bytes: Vec<u8>) -> Self {
        let object = SharedObject::read(&bytes).expect("a library");
        Self { bytes, object }
    }

    fn shim(line: &str) -> Self {
        let tools = Toolbox::new();
        tools.write("in.c", SHIM).write("map", MAP).run(line);
        Self::read(tools.read("out"))
    }

    fn bindings(&self) -> Bindings<'_> {
        Bindings::new(&self.object, &self.bytes).expect("code")
    }
}

const PLAIN: &str = "-shared -fPIC -fno-builtin -Wl,--version-script=map -o out in.c";

fn assert_plain(built: &Built, what: &str) {
    let bindings = built.bindings();
    let target = "own".to_owned();
    assert_eq!(bindings.answer("malloc"), Answer::Alias { target, also: vec![] }, "{what}");
    let jump = Answer::Jump { target: "own".to_owned() };
    assert_eq!(bindings.answer("base"), jump, "{what}");
    let public = |symbol: &str| Answer::PublicJump { symbol: symbol.to_owned() };
    assert_eq!(bindings.answer("derived"), public("base"), "{what}");
    assert_eq!(bindings.answer("outside"), public("other"), "{what}");
    let Answer::Body { calls_public, calls_local, calls_unknown } = bindings.answer("both") else {
        panic!("{what}: {:?}", bindings.answer("both"));
    };
    assert_eq!((calls_public, calls_local), (vec!["other".into()], vec!["own".into()]), "{what}");
    assert!(!calls_unknown, "{what}");
    assert_eq!(bindings.answer("own"), Answer::Unknown, "{what}");
    assert_eq!(bindings.goes_through("derived", "base"), Some(true), "{what}");
    assert_eq!(bindings.goes_through("far", "base"), Some(true), "{what}");
    assert_eq!(bindings.goes_through("malloc", "base"), Some(false), "{what}");
    assert_eq!(bindings.goes_through("own", "base"), None, "{what}");
}

#[test]
fn jumps_and_aliases_are_told_apart_whatever_the_linker() {
    let flags = "-O2 -fno-inline -fno-ipa-icf -fno-ipa-ra";
    for (linker, package) in
        [("ld.bfd", "binutils"), ("ld.gold", "binutils"), ("ld.lld", "lld"), ("mold", "mold")]
    {
        if !have(linker, package) {
            continue;
        }
        let name = linker.trim_start_matches("ld.");
        for extra in ["", "-fno-plt", "-fcf-protection=full -Wl,-z,now"] {
            // gcc binds a public function of its own file directly only when it may inline it.
            let line = format!("gcc {flags} {extra} -fuse-ld={name} {PLAIN}");
            assert_plain(&Built::shim(&line), &line);
        }
    }
}

#[test]
fn a_body_without_optimization_still_reaches_its_base() {
    let built = Built::shim(&format!("gcc -O0 {PLAIN}"));
    let bindings = built.bindings();
    assert!(matches!(bindings.answer("derived"), Answer::Body { .. }));
    assert_eq!(bindings.goes_through("derived", "base"), Some(true));
    // What stands between is no mere jump here, so it has to be named.
    assert_eq!(bindings.goes_through("far", "base"), Some(false));
    assert_eq!(bindings.goes_through_any("far", "base", &["derived"]), Some(true));
}

#[test]
fn symbolic_functions_bind_a_derived_form_past_its_base() {
    for symbolic in ["-Wl,-Bsymbolic-functions", "-Wl,-Bsymbolic"] {
        let built = Built::shim(&format!("gcc -O2 -fno-inline -fno-ipa-icf {symbolic} {PLAIN}"));
        let bindings = built.bindings();
        assert_eq!(bindings.answer("derived"), Answer::Jump { target: "base".to_owned() });
        assert_eq!(bindings.goes_through("derived", "base"), Some(false), "{symbolic}");
        assert_eq!(bindings.goes_through("far", "base"), Some(false), "{symbolic}");
    }
}

#[test]
fn inlining_binds_a_derived_form_past_its_base() {
    if have("clang", "clang") {
        let built = Built::shim(&format!("clang -O2 {PLAIN}"));
        assert_eq!(built.bindings().goes_through("derived", "base"), Some(false));
    }
    let built = Built::shim(&format!("gcc -O2 -fno-semantic-interposition {PLAIN}"));
    assert_eq!(built.bindings().goes_through("derived", "base"), Some(false));
}

#[test]
fn a_volatile_pointer_reaches_the_base() {
    let source = "void *base(unsigned long n) { return (void *)n; }
        static void *(*volatile pointer)(unsigned long) = base;
        void *derived(unsigned long n) { return pointer(n); }";
    let compilers = [("gcc", "gcc"), ("clang", "clang")];
    for (compiler, _) in compilers.iter().filter(|(tool, package)| have(tool, package)) {
        for level in ["-O0", "-O2"] {
            let line = format!("{compiler} {level} -shared -fPIC -o out in.c");
            let built = Built::read(Toolbox::build(source, &line));
            assert_eq!(built.bindings().goes_through("derived", "base"), Some(true), "{line}");
        }
    }
}

#[test]
fn a_call_to_itself_is_seen() {
    let source = "void *malloc(unsigned long);
        void *calloc(unsigned long a, unsigned long b)
        { char *p = malloc(a * b); if (p) for (unsigned long i = 0; i < a * b; i++) p[i] = 0;
          return p; }";
    let built = Built::read(Toolbox::build(source, "gcc -O2 -shared -fPIC -o out in.c"));
    let Answer::Body { calls_public, .. } = built.bindings().code("calloc") else { panic!() };
    assert!(calls_public.contains(&"calloc".to_owned()), "{calls_public:?}");
}

#[test]
fn an_alias_made_by_a_partial_link_is_an_alias() {
    let tools = Toolbox::new();
    tools.write("in.c", "void *own(unsigned long n) { return (void *)n; }");
    tools.write("map", "{ global: malloc; local: *; };");
    tools.run("gcc -c -O2 -fPIC -o own.o in.c").run("ld -r --defsym=malloc=own -o one.o own.o");
    tools.run("gcc -shared -Wl,--version-script=map,--exclude-libs,ALL -o out one.o");
    let built = Built::read(tools.read("out"));
    let alias = Answer::Alias { target: "own".to_owned(), also: vec![] };
    assert_eq!(built.bindings().answer("malloc"), alias);
    // Stripped, only the code is left, and it is not a jump.
    tools.run("strip out");
    let built = Built::read(tools.read("out"));
    assert!(matches!(built.bindings().answer("malloc"), Answer::Body { .. }));
}

#[test]
fn a_stripped_library_names_local_targets_by_address() {
    let built = Built::shim(&format!("gcc -s -O2 -fno-inline -fno-ipa-icf {PLAIN}"));
    let bindings = built.bindings();
    // The worker's own export is a name for it that survives.
    assert_eq!(bindings.answer("base"), Answer::Jump { target: "malloc".to_owned() });
    assert_eq!(bindings.goes_through("far", "base"), Some(true));
}

#[test]
fn aarch64_is_read_too() {
    if !have("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu") {
        return;
    }
    let gcc = "aarch64-linux-gnu-gcc -O2 -fno-inline -fno-ipa-icf";
    for extra in ["", "-fno-plt", "-mbranch-protection=standard -Wl,-z,force-bti"] {
        let line = format!("{gcc} {extra} {PLAIN}");
        assert_plain(&Built::shim(&line), &line);
    }
    let built = Built::shim(&format!("{gcc} -Wl,-Bsymbolic-functions {PLAIN}"));
    assert_eq!(built.bindings().goes_through("derived", "base"), Some(false));
    let source = "void *base(unsigned long n) { return (void *)n; }
        static void *(*volatile pointer)(unsigned long) = base;
        void *derived(unsigned long n) { return pointer(n); }";
    let line = "aarch64-linux-gnu-gcc -O2 -shared -fPIC -o out in.c";
    let built = Built::read(Toolbox::build(source, line));
    assert_eq!(built.bindings().goes_through("derived", "base"), Some(true));
}
