//! Reads the export lists that zig bundles of other systems' C libraries: names, libraries, versions.
//!
//! A list is: libraries, versions (three numbers each) and targets; then functions, data, and data of
//! threads. Each of these is a row of entries: a name (if the entry before was its name's last), the targets as a
//! LEB128 set, for data a size, the library (bit 7: the name's last entry), and version indices of
//! which the last has bit 7.

use std::{collections::BTreeMap, fs, path::Path};

/// By name: the library, and since which versions, as `1.3`.
pub(crate) type ExportList = BTreeMap<String, Vec<(String, String)>>;

/// One export on some targets.
pub(crate) struct Export {
    pub(crate) name: String,
    library: String,
    /// Three numbers.
    pub(crate) version: [u8; 3],
    /// Bits by the target's place.
    pub(crate) targets: u64,
}

pub(crate) fn read(zig_lib: &Path, system: &str) -> ExportList {
    let mut list = ExportList::new();
    for Export { name, library, version: [major, minor, _], .. } in exports(zig_lib, system).1 {
        list.entry(name).or_default().push((library, format!("{major}.{minor}")));
    }
    list
}

/// The targets in order, and every export.
pub(crate) fn exports(zig_lib: &Path, system: &str) -> (Vec<String>, Vec<Export>) {
    let path = zig_lib.join("libc").join(system).join("abilists");
    let data = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut reader = Reader { data: &data, at: 0 };
    let libraries = reader.list(Reader::text);
    let versions = reader.list(|r| [r.byte(), r.byte(), r.byte()]);
    let targets = reader.list(Reader::text);
    let mut list = Vec::new();
    for data in [false, true, true] {
        reader.entries(data, &libraries, &versions, &mut list);
    }
    assert_eq!(reader.at, data.len(), "{} was not read to its end", path.display());
    (targets, list)
}

struct Reader<'a> {
    data: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> u8 {
        self.at += 1;
        self.data[self.at - 1]
    }

    fn text(&mut self) -> String {
        let length = self.data[self.at..].iter().position(|b| *b == 0).expect("an end");
        let bytes = &self.data[self.at..self.at + length];
        self.at += length + 1;
        String::from_utf8(bytes.to_vec()).expect("a name")
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.byte();
        (0..count).map(|_| item(self)).collect()
    }

    fn number(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..).step_by(7) {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        number
    }

    fn entries(
        &mut self,
        data: bool,
        libraries: &[String],
        versions: &[[u8; 3]],
        list: &mut Vec<Export>,
    ) {
        let count = u16::from_le_bytes([self.byte(), self.byte()]);
        let mut name = None;
        for _ in 0..count {
            let this = name.take().unwrap_or_else(|| self.text());
            let targets = self.number();
            if data {
                self.number();
            }
            let library = self.byte();
            loop {
                let version = self.byte();
                list.push(Export {
                    name: this.clone(),
                    library: libraries[usize::from(library & 0x1f)].clone(),
                    version: versions[usize::from(version & 0x7f)],
                    targets,
                });
                if version & 0x80 != 0 {
                    break;
                }
            }
            if library & 0x80 == 0 {
                name = Some(this);
            }
        }
    }
}
