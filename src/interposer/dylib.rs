//! From a plan to a dylib: no linker binds a name here, dyld does by the shim's tuples.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{Order, compile_beside, product_key, read, recipe, rename, unreadable, write};
use crate::{
    artifact::Darwin,
    diagnostic::Result,
    hide::{self, Hidden, read_archive},
    plan::Plan,
    render::{self, Inputs},
    spec::Abi,
    toolchain::{Recipe, link_dylib, make_folder},
    verify::{Verdict, macho::verify},
};

/// Renders, compiles and links, unless the same inputs have been linked before.
pub(super) fn assemble(
    order: &Order<'_>,
    abi: &Abi,
    plan: &Plan,
    archives: &Hidden,
    work: &Path,
) -> Result<PathBuf> {
    let inputs = Inputs::interposer(&plan.platform.name, &plan.allocator.name);
    let shim = &render::render(plan, &inputs)?["shim.c"];
    let parts = vec![shim.as_bytes().to_vec(), order.soname.into()];
    let key = product_key(order, plan, parts, archives)?;
    let library = order.cache.join("libraries").join(key).join(order.soname);
    if library.is_file() {
        return Ok(library);
    }
    make_folder(library.parent().unwrap_or(order.cache))?;
    let source = work.join("shim.c");
    write(&source, shim.as_bytes())?;
    let recipe = recipe(order, abi, plan, &archives.archives, work);
    let alone = order.compiler.alone();
    compile_beside(order.compiler, &source, &recipe.shim, alone, archives)?;
    let made = work.join("made.dylib");
    join(order, plan, recipe, &made)?;
    rename(&made, &library)?;
    Ok(library)
}

/// Links the shim's object, whatever language it was in, and the allocator.
pub(super) fn join(order: &Order<'_>, plan: &Plan, recipe: Recipe, library: &Path) -> Result<()> {
    let visible: BTreeSet<String> =
        plan.allocator.keep.iter().chain(&plan.allocator.export).cloned().collect();
    hide::macho::close(&recipe.shim, &BTreeMap::new(), &visible)?;
    let recipe = Recipe { pull: visible.into_iter().collect(), ..recipe };
    link_dylib(order.compiler, &recipe, &imports(&recipe)?, &plan.platform, library)
}

/// What the link wants from outside.
pub(crate) fn imports(recipe: &Recipe) -> Result<BTreeSet<String>> {
    let mut defined = BTreeSet::new();
    let mut wanted = BTreeSet::new();
    for file in std::iter::once(&recipe.shim).chain(&recipe.archives) {
        let archive = read_archive(file)?;
        defined.extend(archive.names().into_iter().map(str::to_owned));
        wanted.extend(archive.imports().map(|(_, symbol)| symbol.name.clone()));
    }
    Ok(wanted.difference(&defined).cloned().collect())
}

/// Reads the dylib back: nothing that the plan promises may be missing from it.
pub(super) fn look(library: &Path, plan: &Plan, abi: &Abi) -> Result<Verdict> {
    let data = read(library)?;
    let slices = Darwin::read(&data).map_err(|error| unreadable(library, &error))?;
    let slice = slices.first().ok_or_else(|| unreadable(library, &"it has no 64 bits"))?;
    Ok(verify(slice, &plan.platform, abi, Some(plan)))
}
