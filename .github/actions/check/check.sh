# Status and annotations are the tool's own.
set -euo pipefail
read -r -d '' -a folders <<<"$FOLDERS" || true
exec "$ROOT/bin/alloc8-gen" check --format github -- ${folders[@]+"${folders[@]}"}
