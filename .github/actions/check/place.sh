# Where the tool is installed, and a name for it that changes with its sources.
set -euo pipefail
cd "$GITHUB_ACTION_PATH/../../.."
sources=$(find src specs templates examples/simple_heap build.rs Cargo.toml Cargo.lock -type f | LC_ALL=C sort |
  git hash-object --no-filters --stdin-paths | git hash-object --stdin)
{
  echo "root=$RUNNER_TEMP/alloc8-gen"
  echo "key=alloc8-gen-$RUNNER_OS-$RUNNER_ARCH-$sources"
} >>"$GITHUB_OUTPUT"
