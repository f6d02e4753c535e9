//! Archive members that are not ELF: Mach-O and COFF objects, and the short import objects of
//! Windows' import libraries.
//!
//! Separate from `member` because only names are read of them: what they demand of a link, ELF's
//! relocations tell, is not judged here. Names are given as C spells them.

use super::image;
use super::machine::Class;
use super::member::{Format, Member};
use super::names::Names;
use super::symbol::{Bind, Symbol, SymbolKind, SymbolVersion, Visibility};
use super::{ArtifactError, macho};
use object::read::coff::{CoffBigFile, CoffFile, ImportFile, ImportName, ImportType};
use object::read::macho::{MachOFile32, MachOFile64};
use object::read::{self, Object, ObjectSection, ObjectSymbol};
use object::{Architecture, Endianness, FileKind, ObjectKind, SymbolScope};

fn malformed(_: read::Error) -> ArtifactError {
    ArtifactError::Malformed("the object's headers or tables")
}

/// Reads the member if it is one of these; `false` if it is not.
pub(super) fn read(member: &mut Member, data: &[u8]) -> Result<bool, ArtifactError> {
    let Ok(kind) = FileKind::parse(data) else { return Ok(false) };
    member.format = match kind {
        FileKind::MachO32 | FileKind::MachO64 => Format::MachO,
        FileKind::Coff | FileKind::CoffBig => Format::Coff,
        FileKind::CoffImport => Format::Import,
        _ => return Ok(false),
    };
    match kind {
        FileKind::MachO32 => {
            let file = MachOFile32::<Endianness>::parse(data).map_err(malformed)?;
            read_object(member, &file, data)
        }
        FileKind::MachO64 => {
            let file = MachOFile64::<Endianness>::parse(data).map_err(malformed)?;
            read_object(member, &file, data)
        }
        FileKind::CoffBig => {
            let file = CoffBigFile::parse(data).map_err(malformed)?;
            read_object(member, &file, data)
        }
        FileKind::Coff => {
            let file = CoffFile::<'_, &[u8]>::parse(data).map_err(malformed)?;
            read_object(member, &file, data)?;
            read_long_import(member, &file);
            Ok(())
        }
        _ => read_import(member, data),
    }?;
    Ok(true)
}

fn read_object<'a, O: Object<'a>>(
    member: &mut Member,
    file: &O,
    data: &[u8],
) -> Result<(), ArtifactError> {
    let architecture = file.architecture();
    member.machine = image::machine(architecture, None).0;
    // COFF's header names the processor alone.
    member.class = class(architecture);
    if member.format == Format::MachO && file.kind() != ObjectKind::Relocatable {
        return Err(ArtifactError::Linked);
    }
    let mut names = Names::new(data);
    for symbol in file.symbols() {
        let name = symbol.name_bytes().map_err(malformed)?;
        // What is passed over costs time too.
        names.charge(name.len())?;
        let kind = symbol.kind();
        let of_linkers = matches!(kind, object::SymbolKind::Section | object::SymbolKind::File);
        if of_linkers || name.is_empty() {
            continue;
        }
        let read = Symbol {
            name: names.take(&c_name(name, member.format, architecture))?,
            address: symbol.address(),
            size: symbol.size(),
            kind: symbol_kind(kind, symbol.is_common()),
            bind: bind(&symbol),
            visibility: match symbol.scope() {
                // Mach-O's `private extern`; COFF has no such thing.
                SymbolScope::Linkage if member.format == Format::MachO => Visibility::Hidden,
                _ => Visibility::Default,
            },
            defined: symbol.is_definition() || symbol.is_common() || is_weak_default(&symbol),
            version: SymbolVersion::Unversioned,
        };
        // What is neither defined nor wanted is for debuggers.
        if read.defined || symbol.is_undefined() {
            member.symbols.push(read);
        }
    }
    Ok(())
}

fn class(architecture: Architecture) -> Option<Class> {
    architecture.address_size().map(|size| image::class(size.bytes() == 8))
}

/// COFF's weak external: a name with another symbol to take if nobody else defines it.
fn is_weak_default<'a>(symbol: &impl ObjectSymbol<'a>) -> bool {
    symbol.is_weak() && !symbol.is_undefined()
}

fn bind<'a>(symbol: &impl ObjectSymbol<'a>) -> Bind {
    match symbol {
        s if s.is_weak() => Bind::Weak,
        s if s.is_local() && !s.is_undefined() => Bind::Local,
        _ => Bind::Global,
    }
}

fn symbol_kind(kind: object::SymbolKind, is_common: bool) -> SymbolKind {
    match kind {
        _ if is_common => SymbolKind::Common,
        object::SymbolKind::Text => SymbolKind::Function,
        object::SymbolKind::Data => SymbolKind::Object,
        object::SymbolKind::Tls => SymbolKind::ThreadLocal,
        _ => SymbolKind::Untyped,
    }
}

/// A short import object: one symbol, the pointer to it, and the DLL that has it.
fn read_import(member: &mut Member, data: &[u8]) -> Result<(), ArtifactError> {
    let import = ImportFile::parse(data).map_err(malformed)?;
    let architecture = import.architecture();
    member.machine = image::machine(architecture, None).0;
    member.class = class(architecture);
    member.dll = Some(String::from_utf8_lossy(import.dll()).into_owned());
    let name = c_name(import.symbol(), Format::Import, architecture);
    member.import = Some(match import.import() {
        ImportName::Name(name) => String::from_utf8_lossy(name).into_owned(),
        ImportName::Ordinal(ordinal) => format!("#{ordinal}"),
    });
    let mut define = |name: String, kind| {
        member.symbols.push(Symbol {
            name,
            address: 0,
            size: 0,
            kind,
            bind: Bind::Global,
            visibility: Visibility::Default,
            defined: true,
            version: SymbolVersion::Unversioned,
        });
    };
    let name = String::from_utf8_lossy(&name).into_owned();
    define(format!("{POINTER}{name}"), SymbolKind::Object);
    match import.import_type() {
        ImportType::Code => define(name, SymbolKind::Function),
        ImportType::Const => define(name, SymbolKind::Object),
        ImportType::Data => {}
    }
    Ok(())
}

/// Before the name of the pointer through which code reaches a DLL's function or variable, as names are read:
/// on x86 without the underscore of C's names, which stands between the two.
pub(crate) const POINTER: &str = "__imp_";

/// Without the underscore that Mach-O and 32-bit Windows put before C's names.
fn c_name(name: &[u8], format: Format, architecture: Architecture) -> Vec<u8> {
    match (format, architecture) {
        (Format::MachO, _) => macho::c_name(name).to_vec(),
        (_, Architecture::I386) => match name.strip_prefix(POINTER.as_bytes()) {
            Some(rest) => [POINTER.as_bytes(), macho::c_name(rest)].concat(),
            None => macho::c_name(name).to_vec(),
        },
        _ => name.to_vec(),
    }
}

/// GNU's import libraries are made of whole objects: a function's or variable's pointer lies in
/// `.idata$5` and its name in the DLL in `.idata$6`; a member of its own has the DLL's name.
fn read_long_import(member: &mut Member, file: &CoffFile<'_>) {
    let section = |name: &[u8]| file.sections().find(|s| s.name_bytes().is_ok_and(|n| n == name));
    let text = |name: &[u8], skip: usize| {
        let data = section(name)?.data().ok()?.get(skip..)?;
        let text = data.split(|&b| b == 0).next()?;
        // In the members for functions, a DLL's name gives way to the address of its table.
        let is_name = !text.is_empty() && text.iter().all(u8::is_ascii_graphic);
        is_name.then(|| String::from_utf8_lossy(text).into_owned())
    };
    let stands_for = member.defined().find_map(|s| s.name.strip_prefix(POINTER));
    match stands_for.map(str::to_owned) {
        Some(name) if section(b".idata$5").is_some() => {
            member.format = Format::Import;
            let by_number = || {
                let data = section(b".idata$5")?.data().ok()?;
                Some(format!("#{}", u16::from_le_bytes(*data.first_chunk()?)))
            };
            member.import = text(b".idata$6", 2).or_else(by_number).or(Some(name));
        }
        _ => member.dll = text(b".idata$7", 0),
    }
}
