# Builds the tool unless the cache had it. Unoptimised: it is built more slowly than it runs.
set -euo pipefail
# Not in the user's folder, whose rust-toolchain.toml may name an older compiler.
cd "$GITHUB_ACTION_PATH/../../.."
if [ ! -x "$ROOT/bin/alloc8-gen" ]; then
  cargo install --debug --locked --path . --root "$ROOT"
fi
