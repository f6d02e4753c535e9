//! What the dynamic linker itself says was bound where: glibc's `LD_DEBUG=bindings,files`, read.
//!
//! One process may execute several programs one after the other; each is an image of its own here.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

/// One program in one process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Image {
    /// As the dynamic linker calls it: how it was started.
    pub program: String,
    /// The process.
    pub pid: u32,
    /// Symbol, and the objects whose references to it are bound to the interposer.
    pub bound: BTreeMap<String, BTreeSet<String>>,
    /// Symbol, and where references to it went instead: from, to.
    pub elsewhere: BTreeMap<String, BTreeSet<(String, String)>>,
}

impl Image {
    /// Whether the interposer answers in this image.
    pub fn is_interposed(&self) -> bool {
        !self.bound.is_empty()
    }

    /// How many references are bound to the interposer.
    pub fn references(&self) -> usize {
        self.bound.values().map(BTreeSet::len).sum()
    }

    /// References that another library than the referring one, or than the program, answers: a
    /// split heap. What an object defines for itself is its own affair.
    pub fn split(&self) -> Vec<(&str, &str, &str)> {
        let mut split = Vec::new();
        for (symbol, pairs) in &self.elsewhere {
            for (from, to) in pairs {
                if to != from && *to != self.program {
                    split.push((symbol.as_str(), from.as_str(), to.as_str()));
                }
            }
        }
        split
    }
}

/// Reads one process's record; `names` are the symbols that the interposer exports.
pub fn read(record: &str, pid: u32, interposer: &str, names: &BTreeSet<String>) -> Vec<Image> {
    let lines = messages(record);
    let mut images = Vec::new();
    for (program, lines) in split_images(&lines) {
        let mut image = Image { program: program.to_owned(), pid, ..Image::default() };
        for line in lines {
            let Some((from, to, symbol)) = binding(line) else { continue };
            if !names.contains(symbol) {
                continue;
            }
            if to == interposer {
                if from != interposer {
                    image.bound.entry(symbol.to_owned()).or_default().insert(from.to_owned());
                }
            } else {
                let pair = (from.to_owned(), to.to_owned());
                image.elsewhere.entry(symbol.to_owned()).or_default().insert(pair);
            }
        }
        images.push(image);
    }
    images
}

/// Each begins with its process and a tab. Not each has a line of its own: the end of a binding's is written
/// apart, and another thread's may come before it.
fn messages(record: &str) -> Vec<&str> {
    let after = record.split(":\t").skip(1);
    after.filter_map(|message| message.lines().next()).collect()
}

/// Cuts a record where one program executes the next: the next one's first line is a library that
/// is needed by it.
fn split_images<'a>(lines: &[&'a str]) -> Vec<(&'a str, Vec<&'a str>)> {
    let starts: Vec<(usize, &str)> = lines
        .iter()
        .enumerate()
        .filter_map(|(index, line)| Some((index, line.strip_prefix("initialize program: ")?)))
        .collect();
    let mut images: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut from = 0;
    for (number, (_, program)) in starts.iter().enumerate() {
        let until = match starts.get(number + 1) {
            None => lines.len(),
            Some((next_at, next)) => {
                let needed = format!("needed by {next} [0]");
                let after = starts[number].0 + 1;
                (after..*next_at).find(|at| lines[*at].contains(&needed)).unwrap_or(*next_at)
            }
        };
        images.push((program, lines[from..until].to_vec()));
        from = until;
    }
    images
}

/// `binding file FROM [0] to TO [0]: normal symbol `NAME' [VERSION]`
fn binding(line: &str) -> Option<(&str, &str, &str)> {
    let rest = line.strip_prefix("binding file ")?;
    let (objects, symbol) = rest.rsplit_once("]: ")?;
    let (from, to) = objects.split_once("] to ")?;
    let symbol = symbol.split_once('`')?.1.split_once('\'')?.0;
    Some((from.rsplit_once(" [")?.0, to.rsplit_once(" [")?.0, symbol))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = "\
       7:\tfile=/l.so [0];  needed by env [0]
       7:\tbinding file env [0] to /l.so [0]: normal symbol `malloc' [GLIBC_2.2.5]
       7:\tinitialize program: env
       7:\ttransferring control: env
       7:\tbinding file env [0] to /l.so [0]: normal symbol `free' [GLIBC_2.2.5]
       7:\tfile=/l.so [0];  needed by /bin/p [0]
       7:\tbinding file /lib/libc.so.6 [0] to /l.so [0]: normal symbol `malloc' [GLIBC_2.2.5]
       7:\tbinding file /lib/x.so [0] to /lib/libc.so.6 [0]: normal symbol `aligned_alloc' [GLIBC_2.16]
       7:\tbinding file /lib/y.so [0] to /bin/p [0]: normal symbol `malloc'
       7:\tbinding file /bin/p [0] to /lib/libc.so.6 [0]: normal symbol `puts' [GLIBC_2.2.5]
       7:\tinitialize program: /bin/p
       7:\ttransferring control: /bin/p
";

    #[test]
    fn each_program_of_a_process_is_told_apart_and_a_split_heap_is_seen() {
        let names = ["malloc", "free", "aligned_alloc"].map(str::to_owned).into();
        let images = read(RECORD, 7, "/l.so", &names);
        assert_eq!(images.len(), 2);
        assert_eq!((images[0].program.as_str(), images[0].references()), ("env", 2));
        assert_eq!((images[1].program.as_str(), images[1].references()), ("/bin/p", 1));
        assert_eq!(images[1].split(), [("aligned_alloc", "/lib/x.so", "/lib/libc.so.6")]);
    }

    #[test]
    fn what_two_threads_wrote_into_one_line_is_told_apart() {
        const TORN: &str = "\
       7:\tinitialize program: p
       7:\tbinding file /lib/x.so [0] to /l.so [0]: normal symbol `malloc'     7:\tbinding file p [0] to /l.so [0]: normal symbol `free' [GLIBC_2.2.5]
 [GLIBC_2.2.5]
       7:\tbinding file p [0] to /l.so [0]: normal symbol `malloc'     7:\tfile=/lib/y.so [0];  needed by p [0]

";
        let names = ["malloc", "free"].map(str::to_owned).into();
        let images = read(TORN, 7, "/l.so", &names);
        assert_eq!(images.len(), 1);
        assert_eq!((images[0].references(), images[0].split().len()), (3, 0));
    }
}
