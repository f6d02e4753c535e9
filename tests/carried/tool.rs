//! The tool's own words, and the fragment for Make.

use std::{fs, process::Command};

use tempfile::TempDir;

use super::toolbox::{TOOL, built, finish, fixture, said, succeeds, tool, verdict};
use crate::heaps::root;

#[test]
fn three_files_are_made_whichever_is_named() {
    let work = TempDir::new().unwrap();
    for name in ["heap.o", "heap.a", "heap.args", "heap"] {
        let folder = work.path().join(format!("by {name}"));
        fs::create_dir(&folder).unwrap();
        built(&folder.join(name), &[]);
        let mut files: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        assert_eq!(files, ["heap.a", "heap.args", "heap.o"], "{name}");
    }
}

#[test]
fn the_programs_that_were_linked_are_told_also_when_nothing_is_built_again() {
    let work = TempDir::new().unwrap();
    for _ in 0..2 {
        let mut command = tool();
        command.args(["build", "--mode", "static", "--format", "json", "-o"]);
        let output = succeeds(command.arg(work.path().join("heap")));
        let line = said(&output);
        let line = line.lines().find(|l| l.contains("\"built\"")).expect("a result");
        let told: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let programs = told["programs"].as_array().expect("a list");
        assert_eq!(programs.len(), 4, "{told}");
        for program in programs {
            assert_eq!(program["seen"], "linked, read back and run", "{told}");
        }
        assert!(told["defined"].as_u64() > told["direct"].as_u64(), "{told}");
    }
}

#[test]
fn a_program_with_the_c_librarys_heap_is_told_from_one_with_ours() {
    let work = TempDir::new().unwrap();
    let program = work.path().join("program");
    for (option, words) in [("-static", "the C library's own"), ("-pie", "carries no heap")] {
        let mut command = Command::new("gcc");
        succeeds(command.arg(option).arg(fixture("small.c")).arg("-o").arg(&program));
        let (status, text) = verdict(&program, &[]);
        assert_eq!(status, Some(1), "{text}");
        assert!(text.contains(words), "{text}");
    }
    // Nobody can tell what is in a static program without names.
    let mut command = Command::new("gcc");
    succeeds(command.args(["-static", "-s"]).arg(fixture("small.c")).arg("-o").arg(&program));
    let (status, text) = verdict(&program, &[]);
    assert!(status == Some(1) && text.contains("stripped"), "{text}");
}

#[test]
fn a_dynamic_program_that_does_not_show_its_heap_is_a_fault() {
    let work = TempDir::new().unwrap();
    let heap = built(&work.path().join("heap"), &[]);
    let list = work.path().join("list");
    fs::write(&list, "{ local: free; };\n").unwrap();
    let program = work.path().join("program");
    let mut command = Command::new("gcc");
    command.arg(fixture("small.c")).arg(heap.with_extension("o"));
    command.arg(format!("-Wl,--version-script={}", list.display())).arg("-o").arg(&program);
    succeeds(&mut command);
    let (status, text) = verdict(&program, &["-a", "simple_heap"]);
    assert_eq!(status, Some(1), "{text}");
    let free = text.lines().find(|l| l.starts_with("! free ")).expect("a fault");
    assert!(free.contains("its libraries do not see it"), "{free}");
}

#[test]
fn the_fragment_for_make_needs_no_tool() {
    let work = TempDir::new().unwrap();
    let folder = work.path();
    let mut generate = Command::new(TOOL);
    generate.args(["-q", "-p", "linux", "-a", "simple_heap", "--mode", "static", "-o", "alloc8"]);
    succeeds(generate.current_dir(folder));
    let source = root().join("examples/simple_heap/simple_heap.c");
    fs::copy(source, folder.join("simple_heap.c")).unwrap();
    fs::copy(fixture("everything.cpp"), folder.join("everything.cpp")).unwrap();
    let makefile = "ALLOC8_ARCHIVE = libsimple_heap.a\nALLOC8_HEAP = our_heap\n\
         program: everything.cpp our_heap.args\n\t$(CXX) -pthread $(LDFLAGS) -o $@ $< @our_heap.args\n\
         libsimple_heap.a: simple_heap.c\n\t$(CC) -O2 -fPIC -c $< -o simple_heap.o\n\
         \t$(AR) rcs $@ simple_heap.o\n\
         include alloc8/linux-static/alloc8.mk\n";
    fs::write(folder.join("Makefile"), makefile).unwrap();
    for (number, more) in [&["LDFLAGS=-static"][..], &["ALLOC8_DIRECT=0"], &[]].iter().enumerate() {
        let make = || {
            let mut make = Command::new("make");
            make.current_dir(folder).arg("-s").args(*more).env_remove("MAKEFLAGS");
            make
        };
        for file in ["program", "our_heap.shim.o"] {
            let _ = fs::remove_file(folder.join(file));
        }
        succeeds(&mut make());
        let program = folder.join("program");
        succeeds(&mut Command::new(&program));
        let (status, text) = verdict(&program, &["-a", "simple_heap"]);
        assert_eq!(status, Some(0), "{number}: {text}");
        assert!(text.contains("complete"), "{text}");
        let direct = text.contains("direct: simple_heap_malloc");
        assert_eq!(direct, !more.contains(&"ALLOC8_DIRECT=0"), "{more:?}: {text}");
        // Nothing has changed: nothing is made.
        let again = finish(make().arg("-q"));
        assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    }
    let tool = format!("ALLOC8_GEN={TOOL}");
    succeeds(Command::new("make").current_dir(folder).args(["-s", "alloc8-check", &tool]));
}
