//! What the harnesses share.

/// Says that something was left out because a tool is missing, and how to get the tool.
///
/// Under `CI=true` nothing may be left out but what `.ci/expected-skips` lists with its reason: a
/// line there begins with the name, and `#` begins a comment.
#[allow(dead_code, reason = "not every harness leaves something out")]
pub(crate) fn skip(name: &str, how: &str) {
    eprintln!("skipped: {name} ({how})");
    if std::env::var("CI").is_ok_and(|ci| ci == "true") {
        let list = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/expected-skips");
        let list = std::fs::read_to_string(list).unwrap_or_default();
        let expected = list.lines().any(|line| line.split_whitespace().next() == Some(name));
        assert!(expected, "skipped: {name} ({how}), and .ci/expected-skips does not list it");
    }
}
