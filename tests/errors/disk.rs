//! Folders that cannot be written, and files that are half written.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    process::Command,
};

use super::{
    same::{golden, refused},
    tool::{Ran, folder, run},
    unprivileged,
};

const HEAP: &[&str] = &["-p", "linux", "-a", "simple_heap"];
const FOLDER: &str = "generated/simple_heap/linux";

#[test]
fn a_folder_that_cannot_be_made_is_told() {
    let place = folder();
    fs::write(place.path().join("file"), "").unwrap();
    refused("no-folder", place.path(), &[HEAP, &["-o", "file/below"]].concat());
    refused("no-depfile", place.path(), &[HEAP, &["--depfile", "absent/d"]].concat());
    refused("no-library", place.path(), &["build", "-o", "absent/lib.so"]);
}

#[test]
fn no_folder_and_no_pipe_is_replaced_by_what_is_built_and_nothing_is_compiled_for_it() {
    let place = folder();
    let pipe = place.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for output in ["pipe", ".", "/", "pipe/lib.so"] {
        let line = ["build", "--cc", "no-such-cc", "-o", output];
        let ran = run(place.path(), &line).exits(2);
        ran.says(&[&format!("error[A8302]: could not write `{output}`: ")]);
    }
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    fs::create_dir_all(place.path().join(FOLDER)).unwrap();
    fs::rename(&pipe, place.path().join(FOLDER).join("shim.c")).unwrap();
    run(place.path(), HEAP).exits(2).says(&["A8302", "shim.c", "a pipe or a device"]);
}

/// A pipe would be waited for, and such a device never ends.
#[test]
fn pipes_and_devices_are_read_as_no_library_and_no_description() {
    let place = folder();
    std::os::unix::fs::symlink("/dev/zero", place.path().join("heap.toml")).unwrap();
    let device = "a pipe or a device";
    run(place.path(), &["-p", "linux", "-a", "heap"]).exits(2).says(&["A8109", device]);
    run(place.path(), &["verify", "heap.toml"]).exits(2).says(&["A8304", device]);
    run(place.path(), &["build", "--lib", "heap.toml"]).exits(2).says(&["A8411", device]);
    run(place.path(), &["run", "--preload", "heap.toml", "true"]).exits(125).says(&[device]);
}

#[test]
fn a_folder_without_permission_is_told() {
    let place = folder();
    let Some(mut command) = unprivileged::tool(place.path()) else { return };
    let mode = |mode| fs::set_permissions(place.path(), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o555);
    let ran = Ran::new(command.args(HEAP));
    mode(0o755);
    golden("no-permission", place.path(), &ran.exits(2).err);
    assert!(!place.path().join("generated").exists());
}

#[test]
fn a_file_of_somebody_elses_is_told() {
    let place = folder();
    run(place.path(), HEAP).exits(0);
    fs::write(place.path().join(FOLDER).join("shim.c"), "int mine;\n").unwrap();
    refused("not-ours", place.path(), HEAP);
}

#[test]
fn half_written_files_are_told_by_check_and_written_again_by_generate() {
    let place = folder();
    run(place.path(), HEAP).exits(0);
    let at = |name: &str| place.path().join(FOLDER).join(name);
    let shim = fs::read(at("shim.c")).unwrap();
    fs::write(at("shim.c"), &shim[..100]).unwrap();
    fs::write(at("symbols.lp64.txt"), "").unwrap();
    fs::write(at(".shim.c.4711.0.tmp"), &shim[..shim.len() / 2]).unwrap();
    let ran = run(place.path(), &["check"]).exits(1);
    // The diffs are the files' own texts.
    let table = ran.out.split("\n---").next().unwrap();
    let end = ran.out.lines().last().unwrap();
    golden("half-written", place.path(), &format!("{table}…\n{end}\n"));
    run(place.path(), HEAP).exits(0);
    assert_eq!(fs::read(at("shim.c")).unwrap(), shim);
    let ran = run(place.path(), &["check"]).exits(1);
    golden("leftover", place.path(), &ran.out);
}

#[test]
fn a_folder_of_half_written_files_alone_is_told() {
    let place = folder();
    run(place.path(), HEAP).exits(0);
    for entry in fs::read_dir(place.path().join(FOLDER)).unwrap() {
        let path = entry.unwrap().path();
        match path.file_name().unwrap() == "shim.c" {
            true => fs::write(&path, &fs::read(&path).unwrap()[..100]).unwrap(),
            false => fs::remove_file(&path).unwrap(),
        }
    }
    refused("no-marker", place.path(), &["check"]);
}

#[test]
fn what_check_cannot_find_is_told() {
    let place = folder();
    refused("nothing-rendered", place.path(), &["check"]);
    fs::create_dir(place.path().join("empty")).unwrap();
    refused("nothing-to-check", place.path(), &["check", "empty"]);
    refused("half-the-options", place.path(), &["check", "-p", "linux"]);
    run(place.path(), HEAP).exits(0);
    let file = format!("{FOLDER}/shim.c");
    refused("not-a-folder", place.path(), &["check", &file]);
    for heap in ["xx", "simple_heap"] {
        run(place.path(), &["-p", "linux", "-a", heap, "-o", heap]).exits(0);
    }
    fs::copy(place.path().join("xx/linux/shim.c"), place.path().join("simple_heap/linux/x.c"))
        .unwrap();
    refused("two-configurations", place.path(), &["check", "simple_heap"]);
}
