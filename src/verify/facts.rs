//! What holds for the whole file: what it needs, its stack, its code, its thread-local storage.

use super::{Fact, Grade};
use crate::{
    artifact::{SharedObject, Stack, TlsModel, reads_code},
    plan::Plan,
};

/// Thread-local storage beyond which `dlopen` of the library may fail: glibc's surplus is 1664 bytes.
const TLS_OF_DLOPEN: u64 = 1664;
/// Thread-local storage that every thread of every program would pay for.
const TLS_TOO_MUCH: u64 = 64 * 1024;

/// What is the case with the file as a whole.
pub(super) fn facts(object: &SharedObject, plan: Option<&Plan>) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut add = |subject: &str, grade: Grade, text: String| {
        facts.push(Fact { code: None, subject: subject.to_owned(), grade, text });
    };
    let needed =
        if object.needed.is_empty() { "nothing".to_owned() } else { object.needed.join(", ") };
    add("needs", Grade::Good, needed);
    match object.stack {
        Stack::NotExecutable => {}
        Stack::Executable => add(
            "stack",
            Grade::Fault,
            "executable: loading it makes every stack executable, or fails".to_owned(),
        ),
        Stack::Unstated => {
            add("stack", Grade::Fault, "not stated: the loader assumes executable".to_owned())
        }
    }
    if object.has_text_relocations() {
        add("text", Grade::Fault, "relocations in code: not built with -fPIC".to_owned());
    }
    if !reads_code(object.machine) {
        add(
            "code",
            Grade::Note,
            format!(
                "not read on {}: how functions answer is told only where two names are one function",
                object.machine
            ),
        );
    }
    tls(object, &mut add);
    if !object.version_nodes.is_empty() {
        add("versions", Grade::Note, format!("defines {}", object.version_nodes.join(", ")));
    }
    if plan.is_some_and(Plan::asks_to_be_first) && !object.flags.init_first {
        add("fork", Grade::Note, "not linked with -z initfirst: another library's fork handler may run while this heap is locked".to_owned());
    }
    if object.flags.symbolic {
        add(
            "symbolic",
            Grade::Note,
            "linked with -Bsymbolic: its own calls pass a program's replacements over".to_owned(),
        );
    }
    facts
}

fn tls(object: &SharedObject, add: &mut impl FnMut(&str, Grade, String)) {
    let size = object.tls.size;
    let model = object.tls.model();
    let (grade, more) = match model {
        TlsModel::None => return,
        TlsModel::Unknown => {
            (Grade::Fault, "local-exec: wrong code in a library; build with -fPIC")
        }
        TlsModel::Emulated => {
            (Grade::Fault, "emulated: the first access in a thread allocates, so calls itself")
        }
        _ if size >= TLS_TOO_MUCH => (Grade::Fault, "every thread of every program pays for it"),
        TlsModel::Dynamic | TlsModel::Mixed => (
            Grade::Note,
            "dynamic: the first access in a thread may allocate, so call itself; build with -ftls-model=initial-exec",
        ),
        TlsModel::Static if size > TLS_OF_DLOPEN => {
            (Grade::Note, "initial-exec: preloading works, a late dlopen may fail")
        }
        TlsModel::Static => (Grade::Good, "initial-exec"),
    };
    add("thread-local", grade, format!("{size} bytes, {more}"));
}
