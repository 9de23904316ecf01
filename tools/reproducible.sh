#!/usr/bin/env bash
# Builds the library in two folders whose paths differ in length; both results must be bit-identical.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
results=()
for folder in "$work/a" "$work/a-folder/with-a/much-longer/path"; do
  mkdir -p "$folder"
  git ls-files -z | xargs -0 cp --parents -t "$folder"
  "$folder/tools/build_library.sh" > "$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
  results+=("$folder/dist/libmemex.so.0")
done
sha256sum "${results[@]}" | sed "s|$work/||"
cmp "${results[@]}"
if grep -qaF "$work" "${results[0]}"; then
  echo "error: the library holds the path of the folder it was built in" >&2
  exit 1
fi
