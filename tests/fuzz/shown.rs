//! The whole tool on broken descriptions: every mistake is shown, whatever stands around it.
//!
//! A process for each input, so they are few; the readers alone have thousands.

use super::mutate::mutate;
use super::rng::Rng;
use super::text_seeds::{TOML, files};
use std::fs;
use std::process::Command;

const INPUTS: u64 = 60;

#[test]
fn a_broken_description_is_shown() {
    let place = tempfile::tempdir().expect("a folder");
    let seeds = files("specs/allocators", ".toml");
    for number in 0..INPUTS {
        let mut rng = Rng::new(number);
        let (seed, other) = (rng.pick(&seeds).clone(), rng.pick(&seeds).clone());
        let input = mutate(&mut rng, &seed, &other, TOML);
        fs::write(place.path().join("heap.toml"), &input).expect("written");
        for format in ["human", "json", "github"] {
            let arguments = ["generate", "-p", "linux", "-a", "heap.toml", "-o", "-"];
            let output = Command::new(env!("CARGO_BIN_EXE_alloc8-gen"))
                .args(arguments)
                .args(["--only", "shim.c", "--format", format])
                .current_dir(place.path())
                .output()
                .expect("the tool");
            let said = String::from_utf8_lossy(&output.stderr);
            let ended = matches!(output.status.code(), Some(0 | 2));
            assert!(ended, "input {number}, {format}: {}\n{said}", output.status);
        }
    }
}
