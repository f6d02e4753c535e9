//! One object file, as far as a join must know it.

use object::{
    LittleEndian as LE,
    pe::{self, ImageFileHeader},
    read::{
        FileKind, SymbolIndex,
        coff::{CoffHeader, SectionTable, Symbol as CoffSymbol, SymbolTable},
    },
};

use super::directives;

/// An object file.
#[derive(Debug, Clone, Default)]
pub(super) struct Object {
    /// For people.
    pub(super) name: String,
    pub(super) machine: u16,
    pub(super) sections: Vec<Section>,
    /// By its place in the table; `None` for what belongs to another, or to debuggers.
    pub(super) symbols: Vec<Option<Symbol>>,
    /// What it asks of linkers (`/defaultlib:…`).
    pub(super) directives: String,
    /// `@feat.00`: what its compiler kept to.
    pub(super) features: u32,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Section {
    pub(super) name: Vec<u8>,
    pub(super) flags: u32,
    /// Bytes, also of one that has none in the file.
    pub(super) size: u32,
    pub(super) data: Vec<u8>,
    pub(super) relocations: Vec<Relocation>,
    /// One of several copies of the same, which other objects may have.
    pub(super) copy: Option<Copy>,
}

/// How a section relates to its copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copy {
    /// There must be one alone.
    Only,
    /// Any of them will do.
    Any,
    /// It goes with another section (by number).
    With(usize),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Relocation {
    pub(super) offset: u32,
    pub(super) symbol: usize,
    pub(super) kind: u16,
}

#[derive(Debug, Clone)]
pub(super) struct Symbol {
    pub(super) name: Vec<u8>,
    pub(super) place: Place,
    /// Whether it is code, as the format has it.
    pub(super) kind: u16,
    /// Whether other objects see it.
    pub(super) external: bool,
    /// Whether it stands for its section.
    pub(super) is_section: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Undefined,
    /// C's tentative definition: so many bytes of nothing, unless another object defines it.
    Common(u32),
    Absolute(u32),
    /// If nobody else defines it, it is the symbol at this place in the table.
    Weak {
        default: usize,
    },
    In {
        section: usize,
        offset: u32,
    },
}

/// An absolute symbol that is none: flags.
pub(super) const FEATURES: &[u8] = b"@feat.00";

impl Object {
    /// Reads one.
    ///
    /// # Errors
    /// In words, what it is instead, or what is wrong with it.
    pub(super) fn read(name: &str, data: &[u8]) -> Result<Object, String> {
        let read = match FileKind::parse(data) {
            Ok(FileKind::Coff) => parse::<ImageFileHeader>(data),
            Ok(FileKind::CoffBig) => parse::<pe::AnonObjectHeaderBigobj>(data),
            Ok(FileKind::CoffImport) => {
                return Err(format!("`{name}` stands for an import, and has no code"));
            }
            _ => return Err(format!("`{name}` is no object of machine code for Windows")),
        };
        let mut object = read.map_err(|error| format!("`{name}` is malformed: {error}"))?;
        name.clone_into(&mut object.name);
        Ok(object)
    }
}

fn parse<H: CoffHeader>(data: &[u8]) -> Result<Object, String> {
    let mut offset = 0;
    let header = H::parse(data, &mut offset).map_err(words)?;
    let sections = header.sections(data, offset).map_err(words)?;
    let symbols = header.symbols(data).map_err(words)?;
    let mut object = Object { machine: header.machine().0, ..Object::default() };
    object.sections = read_sections(data, &sections, &symbols)?;
    object.symbols.resize_with(symbols.len(), || None);
    for (index, symbol) in symbols.iter() {
        if symbol.has_aux_section() {
            mark_copy(&mut object, symbol, &symbols, index)?;
        }
        let Some(place) = place(symbol, &symbols, index, object.sections.len())? else { continue };
        let name = symbol.name(symbols.strings()).map_err(words)?;
        match place {
            Place::Absolute(features) if name == FEATURES => object.features = features,
            _ => {
                object.symbols[index.0] = Some(Symbol {
                    name: name.to_vec(),
                    place,
                    kind: symbol.typ().0,
                    external: is_external(symbol),
                    is_section: symbol.has_aux_section(),
                });
            }
        }
    }
    let directives = object.sections.iter().filter(|section| section.name == directives::SECTION);
    let directives = directives.map(|section| String::from_utf8_lossy(&section.data).into_owned());
    object.directives = directives.collect();
    Ok(object)
}

fn words(error: object::read::Error) -> String {
    error.to_string()
}

type Table<'data, H> = SymbolTable<'data, &'data [u8], H>;

fn read_sections<'data, H: CoffHeader>(
    data: &'data [u8],
    table: &SectionTable<'data>,
    symbols: &Table<'data, H>,
) -> Result<Vec<Section>, String> {
    let read = |header: &'data pe::ImageSectionHeader| {
        let relocations = header.coff_relocations(data).map_err(words)?.iter();
        let bytes = header.coff_data(data).map_err(|()| "a section has no bytes".to_owned())?;
        Ok(Section {
            name: header.name(symbols.strings()).map_err(words)?.to_vec(),
            flags: header.characteristics.get(LE).0,
            size: header.size_of_raw_data.get(LE),
            data: bytes.to_vec(),
            relocations: relocations
                .map(|relocation| Relocation {
                    offset: relocation.virtual_address.get(LE),
                    symbol: relocation.symbol_table_index.get(LE) as usize,
                    kind: relocation.typ.get(LE).0,
                })
                .collect(),
            copy: None,
        })
    };
    table.iter().map(read).collect()
}

/// Takes down what the symbol of a section says of its copies.
fn mark_copy<H: CoffHeader>(
    object: &mut Object,
    symbol: &H::Symbol,
    symbols: &Table<'_, H>,
    index: SymbolIndex,
) -> Result<(), String> {
    let number = symbol.section().and_then(|section| section.0.checked_sub(1));
    let Some(section) = number.and_then(|number| object.sections.get_mut(number)) else {
        return Ok(());
    };
    if section.flags & pe::IMAGE_SCN_LNK_COMDAT.0 == 0 {
        return Ok(());
    }
    let aux = symbols.aux_section(index).map_err(words)?;
    let high = if H::is_type_bigobj() { aux.high_number.get(LE) } else { 0 };
    let number = usize::from(high) << 16 | usize::from(aux.number.get(LE));
    section.copy = Some(match aux.selection {
        pe::IMAGE_COMDAT_SELECT_NODUPLICATES => Copy::Only,
        pe::IMAGE_COMDAT_SELECT_ASSOCIATIVE => Copy::With(number.wrapping_sub(1)),
        _ => Copy::Any,
    });
    Ok(())
}

fn is_external<S: CoffSymbol>(symbol: &S) -> bool {
    let class = symbol.storage_class();
    [pe::IMAGE_SYM_CLASS_EXTERNAL, pe::IMAGE_SYM_CLASS_WEAK_EXTERNAL].contains(&class)
}

/// `None` for what debuggers want alone.
fn place<H: CoffHeader>(
    symbol: &H::Symbol,
    symbols: &Table<'_, H>,
    index: SymbolIndex,
    sections: usize,
) -> Result<Option<Place>, String> {
    let own = [pe::IMAGE_SYM_CLASS_STATIC, pe::IMAGE_SYM_CLASS_LABEL];
    if !is_external(symbol) && !own.contains(&symbol.storage_class()) {
        return Ok(None);
    }
    if symbol.has_aux_weak_external() {
        let aux = symbols.aux_weak_external(index).map_err(words)?;
        return Ok(Some(Place::Weak { default: aux.weak_default_sym_index.get(LE) as usize }));
    }
    let value = symbol.value();
    Ok(match symbol.section_number() {
        pe::IMAGE_SYM_UNDEFINED if value != 0 && is_external(symbol) => Some(Place::Common(value)),
        pe::IMAGE_SYM_UNDEFINED => Some(Place::Undefined),
        pe::IMAGE_SYM_ABSOLUTE => Some(Place::Absolute(value)),
        _ => match symbol.section().and_then(|section| section.0.checked_sub(1)) {
            Some(section) if section < sections => Some(Place::In { section, offset: value }),
            Some(_) => return Err("a symbol is in no section".to_owned()),
            None => None,
        },
    })
}
