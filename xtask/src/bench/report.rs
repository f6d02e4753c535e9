//! The results as a page of tables and plots, and their short form in the README.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Context;

use super::{
    calls::{self, BUILT, GLIBC, OPERATIONS, OWN, PLT, WAIVED},
    generation, machine,
    plot::{self, Bar},
    programs,
};
use crate::shell::root;

/// Everything that was measured.
pub(super) struct Report {
    pub(super) allocators: Vec<calls::Table>,
    pub(super) programs: programs::Table,
    pub(super) generation: generation::Table,
}

const BEGIN: &str = "<!-- cost: made by cargo xtask bench -->\n";
const END: &str = "<!-- end of cost -->\n";

impl Report {
    /// Writes the page and its plots into a folder, and the short form into the README.
    pub(super) fn write(&self, folder: &Path) -> anyhow::Result<()> {
        fs::write(folder.join("README.md"), self.page())?;
        for table in &self.allocators {
            let bars: Vec<_> = table.ways.iter().map(bar).collect();
            let file = folder.join(format!("{}.svg", table.allocator));
            let caption = format!("{}: instructions per malloc(32) and free", table.allocator);
            plot::bars(&file, &caption, "", &bars)?;
        }
        let mut bars = Vec::new();
        for row in &self.programs.rows {
            for (heap, (_, user)) in self.programs.heaps.iter().zip(&row.seconds) {
                let title = format!("{}: {heap}", row.title);
                bars.push(Bar { title, value: *user, ours: heap.contains("build") });
            }
        }
        plot::bars(&folder.join("programs.svg"), "whole programs: user seconds", "s", &bars)?;
        let points = self.generation.growth.iter();
        let points: Vec<_> = points.map(|g| (f64::from(g.symbols), g.milliseconds)).collect();
        plot::growth(&folder.join("growth.svg"), "from specs to shims, by symbols", &points)?;
        self.write_readme()
    }

    fn write_readme(&self) -> anyhow::Result<()> {
        let path = root().join("README.md");
        let readme = fs::read_to_string(&path)?;
        let (head, rest) = readme.split_once(BEGIN).context("README.md without its cost")?;
        let (_, tail) = rest.split_once(END).context("README.md whose cost does not end")?;
        fs::write(&path, format!("{head}{BEGIN}\n{}\n{END}{tail}", self.short()))?;
        Ok(())
    }

    /// Rows of what a user chooses from: per malloc and free.
    fn short(&self) -> String {
        let mut text = "| instructions per malloc(32), free |".to_owned();
        for table in &self.allocators {
            write!(text, " {} |", table.allocator).expect("a String takes everything");
        }
        text += "\n|---|";
        text += &"--:|".repeat(self.allocators.len());
        for title in [PLT, BUILT, "shim.c, gcc", WAIVED, OWN, "a hand-written forwarder, gcc"] {
            write!(text, "\n| {title} |").expect("a String takes everything");
            for table in &self.allocators {
                let way = table.ways.iter().find(|way| way.title == title);
                let cell = way.map_or("".to_owned(), |way| format!("{:.1}", way.instructions[0]));
                write!(text, " {cell} |").expect("a String takes everything");
            }
        }
        text + "\n"
    }

    fn page(&self) -> String {
        let mut page = format!(
            "# What the layer costs\n\nMade by `cargo xtask bench` on {}.\n\n\
             Instructions are callgrind's and the same on every run. Times are medians, taken in turns;\n\
             they tell this machine, on this day. Each call is one of an iteration's, among 1,000 blocks that stay.\n",
            machine::describe()
        );
        for table in &self.allocators {
            page += &calls_tables(table);
        }
        page += &self.programs();
        page + &self.generation()
    }

    fn programs(&self) -> String {
        let mut text =
            "\n## Whole programs\n\nUser seconds, wall seconds in brackets.\n\n| |".to_owned();
        text += &self.programs.heaps.iter().map(|heap| format!(" {heap} |")).collect::<String>();
        text += "\n|---|";
        text += &"--:|".repeat(self.programs.heaps.len());
        text.push('\n');
        for row in &self.programs.rows {
            text += &format!("| {}: {} |", row.title, row.what);
            for (wall, user) in &row.seconds {
                text += &format!(" {user:.2} ({wall:.2}) |");
            }
            text.push('\n');
        }
        for skipped in &self.programs.skipped {
            text += &format!("\nNot measured: {skipped}.\n");
        }
        text + "\n![user seconds of whole programs](programs.svg)\n"
    }

    fn generation(&self) -> String {
        let mut text = "\n## The tool itself\n\n| | milliseconds |\n|---|--:|\n".to_owned();
        for (title, milliseconds) in &self.generation.rows {
            text += &format!("| {title} | {milliseconds:.1} |\n");
        }
        let (build, bare) = (self.generation.build, self.generation.bare);
        text += &format!(
            "| `build -a mimalloc`, promises measured before | {build:.0} |\n\
             | the compiler's and linker's runs in it, by hand | {bare:.0} (× {:.2}) |\n\n\
             Beside them `build` reads and hashes the archive, draws the plan and the shim, hides the archive's own public\n\
             names in a copy while the shim is compiled, and reads the library back. Of the compiler it asks nothing more:\n\
             it knows it from the time before.\n\n\
             From the specs' text to the shim's, in one process, of Linux's C symbols so many times over:\n\n\
             | symbols | milliseconds | microseconds per symbol |\n|--:|--:|--:|\n",
            build / bare
        );
        for growth in &self.generation.growth {
            let each = growth.milliseconds * 1000.0 / f64::from(growth.symbols);
            text += &format!("| {} | {:.2} | {each:.1} |\n", growth.symbols, growth.milliseconds);
        }
        text + "\n![milliseconds by symbols](growth.svg)\n"
    }
}

fn bar(way: &calls::Way) -> Bar {
    let ours = ![PLT, OWN, GLIBC].contains(&way.title) && !way.title.contains("hand-written");
    Bar { title: way.title.to_owned(), value: way.instructions[0], ours }
}

/// Instructions, and what they are more than a call through a PLT; nanoseconds, and their ratio.
fn calls_tables(table: &calls::Table) -> String {
    let name = table.allocator;
    let head: String = OPERATIONS.iter().map(|title| format!(" {title} |")).collect();
    let rule = "--:|".repeat(OPERATIONS.len());
    let base = &table.ways[0];
    let mut text = format!("\n## {name}, per call\n\n| instructions |{head}\n|---|{rule}\n");
    for way in &table.ways {
        text += &format!("| {} |", way.title);
        for (count, least) in way.instructions.iter().zip(&base.instructions) {
            text += &match way.title {
                PLT | GLIBC => format!(" {count:.1} |"),
                _ => format!(" {count:.1} ({:+.1}) |", count - least),
            };
        }
        text.push('\n');
    }
    text += &format!("\n| nanoseconds |{head}\n|---|{rule}\n");
    for way in &table.ways {
        text += &format!("| {} |", way.title);
        for (time, least) in way.nanoseconds.iter().zip(&base.nanoseconds) {
            text += &format!(" {time:.1} (× {:.2}) |", time / least);
        }
        text.push('\n');
    }
    text + &format!("\n![{name}: instructions per malloc and free]({name}.svg)\n")
}
