//! The table itself, made of the rows that were tried: `laws/table.md` in cargo's folder for tests.

use std::{collections::BTreeSet, fs};

use super::{
    cells::{Cell, DRESSES, LEVELS, MAKERS, cells, lines},
    table::{file_of, folder},
};

/// Writes it anew, from all rows that are kept, of this run or an earlier one.
pub(super) fn write() {
    let row = |cell: &Cell| {
        fs::read_to_string(folder().join("table").join(file_of(&cell.name(), cell.judge()))).ok()
    };
    fs::create_dir_all(folder()).unwrap();
    fs::write(folder().join("table.md"), page(row)).unwrap();
}

/// A line for each shim and dress; a column for each compiler and level.
fn page(row: impl Fn(&Cell) -> Option<String>) -> String {
    let columns: Vec<_> = MAKERS.iter().flat_map(|m| LEVELS.map(|l| (*m, l))).collect();
    let heads: Vec<_> = columns.iter().map(|(maker, level)| format!("{maker} {level}")).collect();
    let mut page = format!("| shim | heap | flags | {} |\n|---|---|---|", heads.join(" | "));
    page += &"--:|".repeat(columns.len());
    page += "\n";
    let all = cells();
    let mut reasons = BTreeSet::new();
    for line in lines() {
        let head = format!("| {}, {} | {} |", line.lang, line.form, line.heap);
        if let Some(why) = line.empty {
            page += &format!("{head} none: {why} |{}\n", " |".repeat(columns.len()));
            continue;
        }
        for dress in DRESSES {
            let values: Vec<_> = columns
                .iter()
                .map(|(maker, level)| {
                    let named = Cell {
                        lang: line.lang,
                        form: line.form,
                        heap: line.heap,
                        maker,
                        level,
                        dress,
                    };
                    let row = all.contains(&named).then(|| row(&named));
                    value(row, &mut reasons)
                })
                .collect();
            if values.iter().any(|value| value != "–") {
                page += &format!("{head} {dress} | {} |\n", values.join(" | "));
            }
        }
    }
    page += "\n";
    for reason in reasons {
        page += &format!("- {reason}\n");
    }
    page
}

/// What a row says in short: how many laws hold, and how many do not, for a reason that is kept.
fn value(row: Option<Option<String>>, reasons: &mut BTreeSet<String>) -> String {
    let Some(row) = row else { return "–".to_owned() };
    let Some(row) = row else { return "·".to_owned() };
    let held = row.lines().next().and_then(|head| head.rsplit_once("| ")?.1.split_once(" of "));
    let held = held.map_or("?", |(held, _)| held);
    let excused: Vec<_> = row.lines().skip(1).map(|line| line.trim().to_owned()).collect();
    let value = match excused.len() {
        0 => held.to_owned(),
        number => format!("{held} + {number}"),
    };
    reasons.extend(excused);
    value
}

#[test]
fn the_table_tells_of_every_shim_what_was_tried_or_why_not() {
    let tried = |cell: &Cell| {
        let rust = cell.lang == "rust" && cell.dress == "plain";
        rust.then(|| "a cell | laws by gcc | 63 of 64 hold\n  not here: a_law: why\n".to_owned())
    };
    let page = page(tried);
    for wanted in [
        "| rust, inlined | pages | plain | 63 + 1 | 63 + 1 | 63 + 1 | 63 + 1 | 63 + 1 | 63 + 1 |",
        "| rust, inlined | pages | mended | · | · | · | · | · | · |",
        "| rust, direct | any | none: ",
        "| c, inlined | any | none: ",
        "\n- not here: a_law: why\n",
    ] {
        assert!(page.contains(wanted), "{wanted}: {page}");
    }
    assert!(!page.contains("| c, direct | simple_heap | mended"), "{page}");
}
