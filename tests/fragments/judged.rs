//! The example, the checks after a link, and the tool agree.

use std::process::Command;

use super::project::{
    ARCHIVE, CMAKE, EXAMPLE, NINJA, Project, TOOL, command, edit, failed, finish, have, succeeded,
    text,
};

#[test]
fn the_example_agrees_with_its_description() {
    let output = finish(Command::new(TOOL).args(["check", EXAMPLE]));
    succeeded(&output);
    assert!(text(&output).contains("everything agrees"), "{}", text(&output));
}

#[test]
fn promises_of_the_example_hold() {
    if !have("fragments-promises", &[CMAKE, NINJA]) {
        return;
    }
    let project = Project::new("made").configured(&["-G", "Ninja"]);
    succeeded(&project.build(&["--target", "block_heap"]));
    let output = finish(
        command(TOOL)
            .args(["build", "--allocator"])
            .arg(project.source.join("block_heap.toml"))
            .arg("--lib")
            .arg(project.build.join(ARCHIVE))
            .arg("-o")
            .arg(project.build.join("by_the_tool.so"))
            .env("XDG_CACHE_HOME", &project.build),
    );
    succeeded(&output);
    assert!(!text(&output).contains("not measured"), "{}", text(&output));
}

#[test]
fn the_check_target_needs_the_tool_and_finds_drift() {
    if !have("fragments-check", &[CMAKE, NINJA]) {
        return;
    }
    let project = Project::new("made").configured(&["-G", "Ninja"]);
    let check = || project.build(&["--target", "alloc8_check"]);
    failed(&check(), "alloc8_check needs alloc8-gen");
    succeeded(&project.configure(&[&format!("-DALLOC8_GEN={TOOL}")]));
    succeeded(&check());
    succeeded(&project.build(&[])); // and verify after the link agrees
    edit(&project.source.join("alloc8/linux/shim.c"), "return", "return ");
    failed(&check(), "shim.c");
}

#[test]
fn the_tool_judges_after_the_link_when_it_is_there() {
    if !have("fragments-verify", &[CMAKE, NINJA]) {
        return;
    }
    let tool = format!("-DALLOC8_GEN={TOOL}");
    let project = Project::new("made").configured(&["-G", "Ninja", &tool]);
    // nm cannot see this: the stack becomes executable.
    let call = "alloc8_interpose(block_heap_preload block_heap)";
    let more =
        format!("{call}\ntarget_link_options(block_heap_preload PRIVATE LINKER:-z,execstack)");
    edit(&project.source.join("CMakeLists.txt"), call, &more);
    failed(&project.build(&[]), "verify found a difference");
    assert!(!project.library().exists());
}
