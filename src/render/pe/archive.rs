//! What the archive asks of a C library itself is that library's own, also where hooks change the code of functions.

use serde_json::{Value, json};

use super::{arguments, c_name, exported, its};
use crate::{
    operation::{Effect, Operation},
    plan::{Mode, Plan, code::CodeLibrary},
    spec::Symbol,
};

/// The functions of C libraries that hand out blocks, hooked or not: called for the archive, they are the library's own.
pub(super) fn makers(plan: &Plan) -> Vec<Value> {
    let spoken_of = plan.answers.iter().map(|answer| &answer.symbol);
    let exported_by = |symbol: &&Symbol| {
        let name = symbol.spec_name();
        plan.platform.libraries.iter().any(|library| library.symbols.iter().any(|s| s == name))
    };
    let maker = |symbol: &Symbol| {
        let (name, prototype) = (c_name(symbol), &symbol.prototype);
        let ty = prototype.named("(*)");
        json!({
            "name": name,
            "exported": exported(plan, symbol),
            "result": prototype.result,
            "declaration": prototype.named(&format!("alloc8_call_{name}")),
            "call": format!("ALLOC8_CALLED({name}, {ty})({})", arguments(prototype)),
        })
    };
    spoken_of.filter(|s| makes_blocks(s)).filter(exported_by).map(maker).collect()
}

/// Whether functions are changed in place: what they call inside a C library is then changed, too.
pub(super) fn is_in_code(plan: &Plan, hook: Option<&str>) -> bool {
    plan.mode == Mode::Interpose && CodeLibrary::of_hook(hook).is_some()
}

/// Whether it is called so seldom that every library may share its code.
pub(super) fn is_rare(operation: Operation) -> bool {
    use Operation as Op;
    let often = matches!(operation, Op::Malloc | Op::Calloc | Op::Realloc | Op::Free | Op::Msize);
    !often && !operation.is_operator()
}

/// In its place alone, no block is made.
fn makes_blocks(symbol: &Symbol) -> bool {
    let effect = symbol.operation.effect();
    matches!(effect, Effect::Allocates | Effect::Reallocates)
        && symbol.operation != Operation::Expand
}

/// What a hook looks at first, if it is the archive that may be waiting for a block.
pub(super) fn look(plan: &Plan, symbol: &Symbol, hook: Option<&str>) -> String {
    if !is_in_code(plan, hook) || !makes_blocks(symbol) {
        return String::new();
    }
    let same = its(symbol, &arguments(&symbol.prototype));
    let new = if symbol.prototype.has("ptr") { "ptr == NULL && " } else { "" };
    format!("if ({new}alloc8_is_for_archive())\n        return {same};\n    ")
}
