//! The cache's files: what they are called by, read, written and put in place.

use std::{fs, path::Path};

use sha2::{Digest, Sha256};

use super::Order;
use crate::{
    diagnostic::{Diagnostic, Result},
    file,
    hide::Hidden,
    plan::Plan,
};

/// What a product is kept under: these parts, who compiles them, what is linked with them, and how.
pub(crate) fn product_key(
    order: &Order<'_>,
    plan: &Plan,
    parts: Vec<Vec<u8>>,
    archives: &Hidden,
) -> Result<String> {
    let (compiler, runtime) = (order.compiler, &plan.platform.runtime);
    let mut parts = parts;
    parts.extend([compiler.name().into_bytes(), compiler.target.clone().into_bytes()]);
    parts.push(compiler.version().as_bytes().to_vec());
    let links = format!("{:?} {:?} {:?}", plan.allocator.libs, runtime.libs, runtime.link);
    parts.push(links.into_bytes());
    parts.extend(archives.key()?);
    Ok(key(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>()))
}

pub(crate) fn key(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()[..12].iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    file::read(path).map_err(|error| {
        Diagnostic::error("A8304", format!("could not read `{}`: {error}", path.display())).into()
    })
}

pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(|error| {
        Diagnostic::error("A8302", format!("could not write `{}`: {error}", path.display())).into()
    })
}

pub(crate) fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| {
        Diagnostic::error("A8302", format!("could not write `{}`: {error}", to.display())).into()
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::{
        allocator::{self, Allocator},
        spec::{self, Platform},
        toolchain::Compiler,
    };

    fn key_of(platform: &Platform, allocator: &Allocator, archives: &[PathBuf]) -> String {
        let (plan, _) = Plan::new(platform, allocator).unwrap();
        let order = Order {
            platform,
            allocator,
            lang: "c",
            libs: &[],
            compiler: &Compiler::find(None, None).expect("a C compiler"),
            cache: Path::new(""),
            soname: "lib.so",
            hook: None,
        };
        product_key(&order, &plan, vec![b"shim".to_vec()], &Hidden::nothing(archives)).unwrap()
    }

    #[test]
    fn a_product_has_another_key_when_anything_that_is_linked_changes() {
        let plain = spec::platform("linux").unwrap();
        let heap = allocator::built_in("simple_heap").unwrap().unwrap();
        let mut keys = vec![key_of(&plain, &heap, &[])];
        assert_eq!(keys[0], key_of(&plain, &heap, &[]));
        let mut platform = plain.clone();
        platform.runtime.link.push("-zseparate-code".to_owned());
        keys.push(key_of(&platform, &heap, &[]));
        let mut platform = plain.clone();
        platform.runtime.libs.push("dl".to_owned());
        keys.push(key_of(&platform, &heap, &[]));
        let mut other = heap.clone();
        other.libs.push("m".to_owned());
        keys.push(key_of(&plain, &other, &[]));
        keys.push(key_of(
            &plain,
            &heap,
            &[Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")],
        ));
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 5, "{keys:?}");
    }
}
