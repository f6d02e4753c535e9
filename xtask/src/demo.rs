//! The README's first command.

use crate::shell::{cargo, run};

pub(crate) fn demo() -> anyhow::Result<()> {
    let job = "import json; print(len(json.dumps(list(range(100000)))))";
    let mut command = cargo();
    command.args(["run", "--quiet", "--release", "--package=alloc8-gen", "--"]);
    command.args(["run", "--proof", "--", "env", "PYTHONMALLOC=malloc", "python3", "-c", job]);
    run(&mut command)
}
