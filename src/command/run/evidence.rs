//! The proof of a run: asked of the dynamic linker before, read and told after.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    path::Path,
    process::Command,
};

use alloc8_gen::{
    diagnostic::{Diagnostic, Result},
    operation::Effect,
    proof::{self, Image},
};
use serde_json::json;

use super::{Preload, Show, scratch::Scratch};

/// What one heap counted, by name.
type Counts = BTreeMap<String, u64>;

/// A private folder that processes write their records into.
pub(super) struct Evidence {
    folder: Scratch,
    interposer: String,
    names: BTreeSet<String>,
    counters: Option<String>,
}

impl Evidence {
    pub(super) fn new(preload: &Preload, link: &Path) -> Result<Evidence> {
        let folder = Scratch::new()?;
        let symbols = preload.platform.symbols_of(&preload.abi);
        // Not every function that the heap stands in for is about blocks.
        let names = symbols
            .filter(|s| !matches!(s.operation.effect(), Effect::Opens | Effect::StartsThread));
        let names = names.map(|s| s.name(&preload.abi));
        let names = names.filter(|name| preload.object.export(name).is_some()).collect();
        let interposer = link.display().to_string();
        Ok(Evidence { folder, interposer, names, counters: preload.counters.clone() })
    }

    /// Only what the heap counts itself, by this variable.
    pub(super) fn counted(variable: &str) -> Result<Evidence> {
        Ok(Evidence {
            folder: Scratch::new()?,
            interposer: String::new(),
            names: BTreeSet::new(),
            counters: Some(variable.to_owned()),
        })
    }

    /// Asks for the heap's own count alone.
    pub(super) fn request_counters(&self, command: &mut Command) {
        if let Some(variable) = &self.counters {
            command.env(variable, self.folder.path.join("heap"));
        }
    }

    /// Writes the heap's own count of a process, and returns whether there is one.
    pub(super) fn tell_counters(&self, pid: u32, to: &Path, show: &Show) -> Result<bool> {
        let counts = self.counters().remove(&pid).unwrap_or_default();
        let of = |key: &str| counts.get(key).copied().unwrap_or(0);
        let holds = of("allocations") > 0;
        let text = if show.json() {
            let proof = json!({ "reason": "proof", "holds": holds, "counters": counts });
            format!("{proof}\n")
        } else {
            let word = if holds { "proof" } else { "no proof" };
            let (taken, given) = (of("allocations"), of("frees"));
            format!("{word}: the heap's own count: {taken} allocations, {given} frees\n")
        };
        put(to, &text)?;
        if !holds {
            let what = "the heap counted no allocation, or the program did not come to its end";
            show.diagnostics(&[Diagnostic::error("A8665", "the proof failed").fact(what)]);
        }
        Ok(holds)
    }

    /// Asks for the records.
    pub(super) fn request(&self, command: &mut Command) {
        command
            .env("LD_DEBUG", "bindings,files")
            .env("LD_DEBUG_OUTPUT", self.folder.path.join("ld"));
        self.request_counters(command);
    }

    /// Writes the proof and returns whether the program, and what it executed, was interposed.
    pub(super) fn tell(&self, pid: u32, to: &Path, show: &Show) -> Result<bool> {
        let images = self.images();
        let counters = self.counters();
        let main: Vec<&Image> = images.iter().filter(|i| i.pid == pid).collect();
        let split: usize =
            images.iter().filter(|i| i.is_interposed()).map(|i| i.split().len()).sum();
        let holds = !main.is_empty() && main.iter().all(|i| i.is_interposed()) && split == 0;
        let text = if show.json() {
            machine(&images, &counters, holds)
        } else {
            human(&images, &total(&images, &counters), holds, &self.interposer)
        };
        put(to, &text)?;
        if !holds {
            let what = if main.is_empty() {
                "the dynamic linker left no record of it: it is static, or it dropped its environment"
            } else if split > 0 {
                "some references to heap functions were bound elsewhere"
            } else {
                "no reference of the program was bound to the interposer"
            };
            show.diagnostics(&[Diagnostic::error("A8665", "the proof failed").fact(what)]);
        }
        Ok(holds)
    }

    fn images(&self) -> Vec<Image> {
        let mut images = Vec::new();
        for (pid, text) in self.records("ld.") {
            images.extend(proof::read(&text, pid, &self.interposer, &self.names));
        }
        images
    }

    /// What each process counted.
    fn counters(&self) -> BTreeMap<u32, Counts> {
        let read = |text: String| {
            let pairs = text.lines().filter_map(|line| line.split_once(' '));
            pairs.filter_map(|(k, v)| Some((k.to_owned(), v.trim().parse().ok()?))).collect()
        };
        self.records("heap.").into_iter().map(|(pid, text)| (pid, read(text))).collect()
    }

    fn records(&self, prefix: &str) -> Vec<(u32, String)> {
        let mut records: Vec<(u32, String)> = fs::read_dir(&self.folder.path)
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name().into_string().ok()?;
                let pid = name.strip_prefix(prefix)?.parse().ok()?;
                Some((pid, String::from_utf8_lossy(&fs::read(entry.path()).ok()?).into_owned()))
            })
            .collect();
        records.sort();
        records
    }
}

/// Writes a proof to where it was asked for.
pub(super) fn put(to: &Path, text: &str) -> Result<()> {
    if to.as_os_str() == "-" {
        let _ = std::io::stderr().write_all(text.as_bytes());
        return Ok(());
    }
    fs::write(to, text).map_err(|error| {
        Diagnostic::error("A8302", format!("could not write `{}`: {error}", to.display())).into()
    })
}

/// The sums over the processes that were executed. A forked child inherits what its parent had
/// counted until then: with it the same blocks would be counted twice.
fn total(images: &[Image], counters: &BTreeMap<u32, Counts>) -> Counts {
    let executed: BTreeSet<u32> = images.iter().map(|image| image.pid).collect();
    let mut sums = Counts::new();
    for (key, value) in executed.iter().filter_map(|pid| counters.get(pid)).flatten() {
        *sums.entry(key.clone()).or_insert(0) += value;
    }
    sums
}

fn human(images: &[Image], counters: &Counts, holds: bool, interposer: &str) -> String {
    let word = if holds { "proof" } else { "no proof" };
    let interposed = images.iter().filter(|i| i.is_interposed()).count();
    let mut text = format!(
        "{word}: {interposed} of {} programs ran with their heap in {interposer}\n",
        images.len()
    );
    for image in images {
        let symbols: Vec<_> = image.bound.keys().map(String::as_str).collect();
        text += &format!(
            "  {} (process {}): {} references bound: {}\n",
            image.program,
            image.pid,
            image.references(),
            symbols.join(" ")
        );
        for (symbol, from, to) in image.split() {
            text += &format!("    ! {symbol} of {from} is bound to {to}\n");
        }
        for (symbol, pairs) in &image.elsewhere {
            let whole = image.split();
            let names = |(from, to): &&(String, String)| {
                !whole.contains(&(symbol.as_str(), from.as_str(), to.as_str()))
            };
            let from: Vec<&str> =
                pairs.iter().filter(names).map(|(from, _)| from.as_str()).collect();
            if !from.is_empty() {
                text += &format!("    - {symbol} of {}: {}\n", from.join(", "), own(image, symbol));
            }
        }
    }
    if let Some(count) = counters.get("allocations") {
        let frees = counters.get("frees").copied().unwrap_or(0);
        text += &format!("  the heap's own count: {count} allocations, {frees} frees\n");
    }
    text
}

/// A program at a fixed address that takes a function's address makes its own jump to the function
/// that address, for everybody (System V psABI, function addresses).
fn own(image: &Image, symbol: &str) -> &'static str {
    let ours = image.bound.get(symbol).is_some_and(|from| from.contains(&image.program));
    if ours { "by way of the program's jump to ours" } else { "a definition of their own" }
}

fn machine(images: &[Image], counters: &BTreeMap<u32, Counts>, holds: bool) -> String {
    let mut text = String::new();
    for (index, image) in images.iter().enumerate() {
        // Only the last program of a process comes to its end.
        let last = images[index + 1..].iter().all(|later| later.pid != image.pid);
        let counters = counters.get(&image.pid).filter(|_| last);
        let object = json!({
            "reason": "image", "program": image.program, "pid": image.pid, "interposed": image.is_interposed(),
            "references": image.references(), "bound": image.bound, "elsewhere": image.elsewhere,
            "split": image.split(), "counters": counters,
        });
        text += &format!("{object}\n");
    }
    let proof = json!({ "reason": "proof", "holds": holds, "counters": total(images, counters) });
    text + &format!("{proof}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(allocations: u64) -> Counts {
        Counts::from([("allocations".to_owned(), allocations)])
    }

    #[test]
    fn blocks_that_a_forked_child_inherited_are_counted_once() {
        let image =
            |program: &str, pid| Image { program: program.to_owned(), pid, ..Image::default() };
        let images = [image("env", 7), image("/bin/p", 7), image("q", 9)];
        // 8 was forked by 7 and executed nothing.
        let counters = BTreeMap::from([(7, counts(100)), (8, counts(90)), (9, counts(1))]);
        assert_eq!(total(&images, &counters), counts(101));
        let text = machine(&images, &counters, true);
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert!(lines[0]["counters"].is_null(), "{text}");
        assert_eq!(lines[1]["counters"]["allocations"], 100);
        assert_eq!(lines[3]["counters"]["allocations"], 101);
    }
}
