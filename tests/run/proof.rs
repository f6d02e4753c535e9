//! What is proved, and what has no proof.

use std::fs;

use super::witness::under;
use crate::tool::{compiled, folder, json, program};

#[test]
fn the_proof_goes_to_standard_error_or_a_file() {
    let ran = under(&["--proof"], &[program()]).exits(0);
    assert!(ran.err.starts_with("proof: 1 of 1 programs"), "{}", ran.all());
    assert!(ran.err.contains(" malloc"), "{}", ran.all());
    let place = folder();
    let file = place.path().join("the proof");
    let option = format!("--proof={}", file.display());
    let ran = under(&[&option], &[program()]).exits(0);
    assert!(!ran.err.contains("proof:"), "{}", ran.all());
    assert!(fs::read_to_string(file).unwrap().starts_with("proof: 1 of 1 programs"));
}

#[test]
fn the_proof_as_json_is_one_object_a_line() {
    let place = folder();
    let file = place.path().join("proof.json");
    let option = format!("--proof={}", file.display());
    under(&[&option, "--format", "json"], &[program()]).exits(0);
    let objects = json(&fs::read_to_string(&file).unwrap());
    let (image, last) = (&objects[0], objects.last().unwrap());
    assert_eq!((&image["reason"], &image["interposed"]), (&"image".into(), &true.into()));
    assert!(image["bound"]["malloc"].is_array(), "{image}");
    assert_eq!((&last["reason"], &last["holds"]), (&"proof".into(), &true.into()));
    assert!(last["counters"]["allocations"].as_u64().is_some_and(|n| n > 0), "{last}");
}

#[test]
fn a_program_that_drops_the_preload_and_executes_itself_has_no_proof() {
    let source = r#"
#include <stdlib.h>
#include <unistd.h>
int main(int count, char **words)
{
    free(malloc(100));
    if (!getenv("LD_PRELOAD"))
        return 0;
    unsetenv("LD_PRELOAD");
    execv(words[0], words);
    return count;
}
"#;
    let exe = compiled("drops", source, &["-fno-builtin"]);
    let ran = under(&["--proof"], &[&exe]).exits(125).says(&["error[A8665]", "no proof"]);
    assert!(ran.out.is_empty(), "{}", ran.all());
    under(&[], &[&exe]).exits(0);
}

#[test]
fn a_plug_in_that_looks_past_the_preload_is_a_split_heap() {
    let plug_in = "#include <stdlib.h>\nint use(void) { void *volatile p = aligned_alloc(64, 128); free(p); return 0; }\n";
    let plug_in = compiled("plugin.so", plug_in, &["-shared", "-fPIC", "-fno-builtin"]);
    let source = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
int main(int count, char **words)
{
    void *library = dlopen(words[1], RTLD_NOW | RTLD_DEEPBIND);
    int (*use)(void);
    free(malloc(100));
    if (count != 2 || !library)
        return 9;
    *(void **)&use = dlsym(library, "use");
    return use();
}
"#;
    let exe = compiled("deepbind", source, &["-fno-builtin", "-ldl"]);
    let ran = under(&["--proof"], &[&exe, &plug_in]).exits(125);
    ran.says(&["! aligned_alloc of", "is bound to", "error[A8665]", "bound elsewhere", "A8659"]);
}
