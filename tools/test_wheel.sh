#!/usr/bin/env bash
# Installs the wheel into a clean environment and uses it twice: where the system's jansson and SQLite are
# gone (only the bundled copies can be loaded), and where the interpreter has loaded a SQLite of its own
# (that one must be used). Swift is not on PATH. /proc/self/maps says which copies were loaded.
#
# PYTHONS="python3.10 python3.12" names the interpreters; by default the one that made .venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root="$PWD"
wheel="$(echo "$root"/dist/memexllm-*-py3-none-manylinux_2_*.whl)"
[ -f "$wheel" ] || { echo "error: no wheel in dist/: run make wheel" >&2; exit 1; }
read -r -a pythons <<< "${PYTHONS:-$(.venv/bin/python -c 'import sys; print(sys._base_executable)')}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp tools/wheel_smoke.py "$work/"

# A mount namespace in which the files are really absent: an overlay from which they are removed.
cat > "$work/hidden.sh" <<'END'
set -euo pipefail
work="$1"
shift
mount -t tmpfs tmpfs "$work/layers"
count=0
for library in $(ldconfig -p | awk '/lib(jansson|sqlite3)\.so/ { print $NF }'); do
  folder="$(dirname "$(readlink -f "$library")")"
  if ! mountpoint -q "$folder"; then
    count=$((count + 1))
    mkdir -p "$work/layers/$count/upper" "$work/layers/$count/work"
    mount -t overlay overlay -o "lowerdir=$folder,upperdir=$work/layers/$count/upper,workdir=$work/layers/$count/work" "$folder"
  fi
  rm -f "$folder"/libjansson.so* "$folder"/libsqlite3.so*
done
"$@"
END
if [ "$(id -u)" = 0 ]; then namespace=(unshare --mount)
elif unshare --map-root-user --mount true 2> /dev/null; then namespace=(unshare --map-root-user --mount)
elif sudo -n true 2> /dev/null; then namespace=(sudo unshare --mount)
else echo "error: hiding the system's libraries needs a mount namespace: run as root, or allow user namespaces" >&2; exit 1
fi

for python in "${pythons[@]}"; do
  rm -rf "$work/venv" "$work/run" "$work/layers"
  mkdir "$work/run" "$work/layers"
  "$python" -m venv "$work/venv"
  "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps "$wheel"
  clean=(env -i PATH=/usr/bin:/bin HOME="$work/run" LANG=C.UTF-8 "$work/venv/bin/python" -I "$work/wheel_smoke.py")
  if env -i PATH=/usr/bin:/bin bash -c 'command -v swift' > /dev/null; then
    echo "error: Swift is on the clean PATH, so this would not test the wheel without it" >&2
    exit 1
  fi
  (cd "$work/run" && "${namespace[@]}" bash "$work/hidden.sh" "$work" "${clean[@]}" bundled)
  (cd "$work/run" && "${clean[@]}" beside)
done
