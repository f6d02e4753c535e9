# Builds the tool unless the cache had it. Unoptimised: it is built more slowly than it runs.
set -euo pipefail
if [ ! -x "$ROOT/bin/alloc8-gen" ]; then
  cargo install --debug --locked --path "$GITHUB_ACTION_PATH/../../.." --root "$ROOT"
fi
