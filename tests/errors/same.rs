//! The three forms of a diagnostic, compared with each other and with what was agreed.

use std::{fs, path::Path};

use alloc8_gen::diagnostic::{Report, text};
use serde_json::Value;

use super::tool::{self, root, run};

/// What every form of a diagnostic carries.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Told {
    severity: String,
    code: String,
    message: String,
    /// File, line, column.
    place: Option<(String, u64, u64)>,
}

/// Runs a line that fails, once for people and once for each kind of machine: the human form is the
/// golden one, and the others say the same. Each error says what to do.
#[track_caller]
pub(crate) fn refused(name: &str, place: &Path, arguments: &[&str]) {
    let human = run(place, arguments).exits(2);
    golden(name, place, &human.err);
    let people = from_people(&human.err);
    assert!(!people.is_empty(), "{}", human.all());
    let format = |format| run(place, &[arguments, &["--format", format]].concat()).exits(2).err;
    let objects: Vec<Value> = tool::json(&format("json"));
    assert_eq!(objects.iter().map(from_json).collect::<Vec<_>>(), people);
    assert_eq!(from_github(&format("github")), people);
    explained(&objects);
}

/// The same for what the library reports.
#[track_caller]
pub(crate) fn reported(name: &str, report: &Report) {
    let all = &report.diagnostics;
    let human: String = all.iter().map(|d| text::plain(d) + "\n").collect();
    golden(name, Path::new("/nowhere"), &human);
    let people = from_people(&human);
    let objects: Vec<Value> = all.iter().map(text::json).collect();
    assert_eq!(objects.iter().map(from_json).collect::<Vec<_>>(), people);
    let github: Vec<_> = all.iter().map(|d| workflow_command(&text::github(d))).collect();
    assert_eq!(github, people);
    explained(&objects);
}

#[track_caller]
fn explained(objects: &[Value]) {
    for object in objects {
        let code = object["code"].as_str().unwrap();
        assert!(alloc8_gen::codes::find(code).is_some(), "`explain` does not know {code}");
        assert!(object["help"].is_string() || object["severity"] != "error", "no help: {object}");
    }
}

/// Compares with `tests/errors/NAME.txt`; `BLESS=1` writes it.
#[track_caller]
pub(crate) fn golden(name: &str, place: &Path, text: &str) {
    let text = text
        .replace(place.to_str().unwrap(), "FOLDER")
        .replace(alloc8_gen::toolchain::HOST, "HOST")
        .replace(&format!("for {}, linux", std::env::consts::ARCH), "for ARCH, linux");
    let file = root().join("tests/errors").join(name).with_extension("txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let wanted = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(text, wanted, "{} differs; BLESS=1 writes it", file.display());
}

/// `error[A8001]: message`, and perhaps ` --> file:line:column` below it.
fn from_people(text: &str) -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    for line in text.lines() {
        if let Some(place) = line.trim_start().strip_prefix("--> ") {
            let mut parts = place.rsplitn(3, ':');
            let mut number = || parts.next().unwrap().parse().unwrap();
            let (column, line) = (number(), number());
            let last = all.last_mut().expect("a place belongs to a diagnostic");
            last.place.get_or_insert((parts.next().unwrap().to_owned(), line, column));
        } else if let Some((severity, rest)) = line.split_once("[A8") {
            let (code, message) = rest.split_once("]: ").unwrap();
            all.push(Told {
                severity: severity.to_owned(),
                code: format!("A8{code}"),
                message: message.to_owned(),
                place: None,
            });
        }
    }
    all
}

fn from_json(object: &Value) -> Told {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let first = object["places"].get(0);
    Told {
        severity: text(&object["severity"]),
        code: text(&object["code"]),
        message: text(&object["message"]),
        place: first.map(|p| {
            (text(&p["file"]), p["line"].as_u64().unwrap(), p["column"].as_u64().unwrap())
        }),
    }
}

/// `::error title=A8001,file=x.toml,line=1,col=2::message`, more lines of it escaped.
fn from_github(text: &str) -> Vec<Told> {
    text.lines().map(workflow_command).collect()
}

fn workflow_command(line: &str) -> Told {
    let (kind, rest) = line.strip_prefix("::").unwrap().split_once(' ').unwrap();
    let (properties, text) = rest.split_once("::").unwrap();
    let plain = |text: &str| {
        let text = text.replace("%3A", ":").replace("%2C", ",").replace("%0A", "\n");
        text.replace("%0D", "\r").replace("%25", "%")
    };
    let find = |name: &str| {
        let found = properties.split(',').find_map(|p| p.strip_prefix(&format!("{name}=")));
        found.map(plain)
    };
    let number = |name: &str| find(name).map(|n| n.parse::<u64>().unwrap());
    Told {
        severity: if kind == "notice" { "note".to_owned() } else { kind.to_owned() },
        code: find("title").unwrap(),
        message: plain(text).lines().next().unwrap_or_default().to_owned(),
        place: find("file").map(|file| (file, number("line").unwrap(), number("col").unwrap())),
    }
}
