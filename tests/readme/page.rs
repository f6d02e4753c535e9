//! The README taken apart: what it tells a reader to type, and what it says will come of that.

use std::{fs, path::Path};

/// Something to type into a shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    /// The heading above it.
    pub(super) under: String,
    /// The command; a line that ends with a backslash is joined to the next.
    pub(super) command: String,
    /// What the page shows of its output.
    pub(super) shown: Vec<String>,
    /// Whether it stands in a block of `sh`: then it succeeds.
    pub(super) succeeds: bool,
}

/// A fenced block.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) under: String,
    pub(super) lang: String,
    pub(super) text: String,
}

pub(super) fn text() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    fs::read_to_string(path).expect("README").replace("\r\n", "\n")
}

/// The fenced blocks in their order, and the prose between them without its tables' and links' syntax read.
fn taken_apart(text: &str) -> Vec<Result<Block, (String, String)>> {
    let mut parts = Vec::new();
    let mut under = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(lang) = line.strip_prefix("```") {
            let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            let text = inside.join("\n") + "\n";
            parts.push(Ok(Block { under: under.clone(), lang: lang.to_owned(), text }));
        } else {
            if line.starts_with('#') {
                under = line.trim_start_matches(['#', ' ']).to_owned();
            }
            parts.push(Err((under.clone(), line.to_owned())));
        }
    }
    parts
}

pub(super) fn blocks(text: &str) -> Vec<Block> {
    taken_apart(text).into_iter().filter_map(Result::ok).collect()
}

/// Everything to be typed, in the page's order.
pub(super) fn typed(text: &str) -> Vec<Typed> {
    let mut all: Vec<Typed> = Vec::new();
    for part in taken_apart(text) {
        match part {
            Ok(block) if block.lang == "sh" => all.extend(of_sh(&block)),
            Ok(block) if block.lang == "console" => all.extend(of_console(&block)),
            // What the command before it writes.
            Ok(block) if block.lang == "text" => {
                let last = all.last_mut().expect("a command before its output");
                last.shown = block.text.lines().map(str::to_owned).collect();
            }
            Ok(_) => {}
            Err((under, line)) => all.extend(of_prose(&under, &line)),
        }
    }
    all
}

fn of_sh(block: &Block) -> Vec<Typed> {
    let joined = block.text.replace("\\\n", "\\\u{0}");
    let lines = joined.lines().filter(|line| !line.trim().is_empty());
    let typed = |line: &str| Typed {
        under: block.under.clone(),
        command: line.replace('\u{0}', "\n"),
        shown: Vec::new(),
        succeeds: true,
    };
    lines.map(typed).collect()
}

fn of_console(block: &Block) -> Vec<Typed> {
    let mut all: Vec<Typed> = Vec::new();
    for line in block.text.lines() {
        match (line.strip_prefix("$ "), all.last_mut()) {
            (Some(command), _) => all.push(Typed {
                under: block.under.clone(),
                command: command.to_owned(),
                shown: Vec::new(),
                succeeds: false,
            }),
            (None, Some(last)) => last.shown.push(line.to_owned()),
            // Shown of a command that the prose tells.
            (None, None) => {}
        }
    }
    all
}

/// Whole command lines of the tool inside the prose.
fn of_prose(under: &str, line: &str) -> Vec<Typed> {
    let spans = line.split('`').skip(1).step_by(2);
    let commands = spans.filter(|span| span.starts_with("alloc8-gen "));
    let typed = |command: &str| Typed {
        under: under.to_owned(),
        command: command.to_owned(),
        shown: Vec::new(),
        succeeds: true,
    };
    commands.map(typed).collect()
}

/// Whether lines are among those that were written, in their order. `…` stands for any text, alone for any
/// lines, and in output of a `text` block each number for any number.
pub(super) fn is_shown(shown: &[String], written: &str, numbers: bool) -> Result<(), String> {
    let plain = |line: &str| match numbers {
        true => line.split(|c: char| c.is_ascii_digit()).collect::<Vec<_>>().join(""),
        false => line.to_owned(),
    };
    let mut lines = written.lines().map(|line| plain(line.trim_end()));
    for line in shown.iter().filter(|line| !matches!(line.trim(), "…" | "")) {
        let wanted = plain(line);
        if !lines.any(|line| fits(&wanted, &line)) {
            return Err(format!("`{line}` is not in\n{written}"));
        }
    }
    Ok(())
}

fn fits(wanted: &str, line: &str) -> bool {
    let parts: Vec<&str> = wanted.split('…').collect();
    let [first, middle @ .., last] = parts.as_slice() else { return wanted == line };
    let Some(mut rest) = line.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else {
        return false;
    };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_must_have_been_written_in_that_order() {
        let written = "built x: 3 symbols\n  needs libc\ncomplete\n";
        let shown = |lines: &[&str], numbers| {
            is_shown(&lines.iter().map(|l| (*l).to_owned()).collect::<Vec<_>>(), written, numbers)
        };
        assert!(shown(&["built x: 3 symbols", "…", "complete"], false).is_ok());
        assert!(shown(&["built … symbols"], false).is_ok());
        assert!(shown(&["built x: 44 symbols"], true).is_ok());
        assert!(shown(&["built x: 44 symbols"], false).is_err());
        assert!(shown(&["complete", "  needs libc"], false).is_err());
        assert!(shown(&["comp"], false).is_err());
    }

    #[test]
    fn commands_are_found_wherever_they_stand() {
        let page = "# A\n```sh\none \\\n  two   # why\nthree\n```\n```text\nout\n```\nsee `alloc8-gen list platforms`.\n## B\n```console\n$ four\n! five\n```\n";
        let typed = typed(page);
        let commands: Vec<&str> = typed.iter().map(|t| t.command.as_str()).collect();
        assert_eq!(
            commands,
            ["one \\\n  two   # why", "three", "alloc8-gen list platforms", "four"]
        );
        assert_eq!(
            (&typed[1].shown[..], &typed[3].shown[..]),
            (&["out".to_owned()][..], &["! five".to_owned()][..])
        );
        assert_eq!((typed[2].under.as_str(), typed[3].under.as_str()), ("A", "B"));
    }
}
