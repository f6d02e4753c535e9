//! Mach-O and PE files: what they are and have is told, what they interpose is not judged.

use std::path::Path;

use alloc8_gen::{
    artifact::{
        Darwin, Image,
        image::{ImageFormat, LibraryUse},
    },
    diagnostic::{Diagnostic, Report, Result},
    spec,
    verify::image::{NameFound, NameUse, names_in, names_of, what},
};
use serde_json::json;

use crate::{
    cli::Verify,
    command::{Show, one_platform},
};

/// Tells what the file is.
///
/// # Errors
/// `A8511` if it cannot be read; else `A8514`, for there is no verdict.
pub(super) fn tell(file: &Path, data: &[u8], options: &Verify, show: &Show) -> Result<bool> {
    let images = Image::read(data).map_err(|error| super::unreadable(file, &error))?;
    // Files for macOS are judged elsewhere: what comes here has no 64 bits, or could not be read there.
    if images.iter().any(|image| image.format == ImageFormat::MachO) {
        Darwin::read(data).map_err(|error| super::unreadable(file, &error))?;
    }
    let all = spec::platforms()?;
    let given = match &options.platform {
        Some(name) => Some(one_platform(name)?),
        None => {
            let own = |image: &Image| all.iter().find(|p| p.name == system(image.format)).cloned();
            images.first().and_then(own)
        }
    };
    let names = names_of(given.as_ref(), &all);
    for image in &images {
        one(file, image, &names_in(image, &names), show);
    }
    if given.is_none() {
        let list: Vec<_> = all.iter().map(|p| p.name.as_str()).collect();
        show.say(&format!("names looked for: those of {}", list.join(", ")));
    }
    Err(no_verdict(file, &images))
}

/// The platform whose files these are.
fn system(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::MachO => "macos",
        ImageFormat::Pe => "windows",
    }
}

fn no_verdict(file: &Path, images: &[Image]) -> Report {
    let message = format!("what `{}` interposes is not judged by this version", file.display());
    let why = match images.first().map(|image| image.format) {
        Some(ImageFormat::Pe) => {
            "an export replaces nothing on Windows: hooks and patched import tables do, which only the running program shows"
        }
        _ => "no macOS that shims are for runs files of 32 bits",
    };
    Diagnostic::error("A8514", message).fact(why).into()
}

fn one(file: &Path, image: &Image, found: &[NameFound], show: &Show) {
    if show.json() {
        show.result("", || {
            json!({
                "reason": "image", "file": file, "format": image.format, "kind": image.kind,
                "machine": image.machine, "variant": image.variant, "class": image.class,
                "name": image.name, "libraries": image.libraries, "symbols": found,
                "interpose_pairs": image.interpose_pairs, "judged": false,
            })
        });
        return;
    }
    show.out(&format!("{}: {}", file.display(), what(image)));
    for found in found {
        let (status, more) = match &found.how {
            NameUse::Exported { forward: None } => ("exported", String::new()),
            NameUse::Exported { forward: Some(other) } => ("exported", format!("is {other}")),
            NameUse::Imported { library: None } => ("imported", String::new()),
            NameUse::Imported { library: Some(library) } => ("imported", format!("from {library}")),
        };
        show.out(format!("  {:<38} {status:<11} {more}", found.symbol).trim_end());
    }
    if let Some(name) = &image.name {
        show.out(&format!("  {:<38} {name}", "own name"));
    }
    let libraries: Vec<_> = image
        .libraries
        .iter()
        .map(|library| match library.wanted {
            LibraryUse::Required => library.name.clone(),
            LibraryUse::Weak => format!("{} (may be missing)", library.name),
            LibraryUse::Reexported => format!("{} (re-exported)", library.name),
            LibraryUse::Delayed => format!("{} (loaded late)", library.name),
            LibraryUse::Upward => format!("{} (upward)", library.name),
        })
        .collect();
    let needs = if libraries.is_empty() { "nothing".to_owned() } else { libraries.join(", ") };
    show.out(&format!("  {:<38} {needs}", "needs"));
    if image.interpose_pairs > 0 {
        show.out(&format!("- {:<38} {}, not judged", "interpose tuples", image.interpose_pairs));
    }
    let exported = found.iter().filter(|f| matches!(f.how, NameUse::Exported { .. })).count();
    let imported = found.len() - exported;
    show.out(&format!("{exported} known names exported, {imported} imported: not judged"));
}
