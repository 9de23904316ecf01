#!/usr/bin/env bash
# Builds the wheel into dist/ from the library in dist/: bundles jansson by auditwheel, which also finds the
# oldest glibc that it runs on, and a copy of SQLite for systems that have none.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root="$PWD"
export PATH="$root/.venv/bin:$PATH" SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}"
# What the dynamic loader would take, so that it is the system's and not some folder's.
sqlite="$(ldconfig -p | awk -v machine="$(uname -m)" '/libsqlite3\.so\.0 / && (machine != "x86_64" || /x86-64/) { print $NF; exit }')"
[ -n "$sqlite" ] || { echo "error: no libsqlite3.so.0 in the system" >&2; exit 1; }

rm -rf build/wheel
mkdir -p build/wheel
MEMEX_PREBUILT="$root/dist/libmemex.so.0" MEMEX_SQLITE="$(readlink -f "$sqlite")" \
  python -m build --no-isolation --wheel --outdir build/wheel python
rm -f dist/memexllm-*.whl
python -m auditwheel repair --wheel-dir build/wheel/repaired build/wheel/memexllm-*.whl
wheel="$(echo build/wheel/repaired/memexllm-*.whl)"
case "$wheel" in
  *-py3-none-manylinux_2_*) ;;
  *) echo "error: unexpected tag: $wheel" >&2; exit 1 ;;
esac
# The same archive, its parts deflated as well as can be: 4 % less to download.
advzip --recompress -2 --quiet "$wheel"
size="$(stat -c %s "$wheel")"
[ "$size" -le $((10 << 20)) ] || { echo "error: the wheel has $size bytes, more than 10 MB" >&2; exit 1; }
listing="$(python -m zipfile --list "$wheel")"
for part in memexllm/_native/libmemex.so.0 memexllm/_native/libsqlite3.so.0 memexllm.libs/libjansson- licenses/jansson.txt; do
  grep -qF "$part" <<< "$listing" || { echo "error: the wheel lacks $part" >&2; exit 1; }
done
mv "$wheel" dist/
printf '%s, %d.%d MB\n' "dist/$(basename "$wheel")" $((size / 1000000)) $((size / 100000 % 10))
