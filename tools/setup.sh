#!/usr/bin/env bash
# Installs what building and testing need: system packages, the Python environment in .venv.
# Says what it does; a second run finds everything in place and costs nothing.
#
#   tools/setup.sh            everything
#   tools/setup.sh toolchain  only what building the library needs (no Python environment)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python="${PYTHON:-python3}"
say() { printf '==> %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# --- Swift -------------------------------------------------------------------------------------------
swift_wanted=6.3
swift_path="$(command -v swift || true)"
[ -n "$swift_path" ] || die "Swift $swift_wanted or newer is needed: get it from https://www.swift.org/install/linux/ and put its usr/bin on PATH."
# Asking Swift for its version takes 0.2 s, so the answer is kept until the file changes.
swift_stamp=build/swift.stamp
swift_now="$swift_path $(stat -Lc '%Y %s' "$swift_path")"
if [ ! -f "$swift_stamp" ] || [ "$(<"$swift_stamp")" != "$swift_now" ]; then
  version="$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p')"
  [ "$(printf '%s\n' "$swift_wanted" "${version:-0}" | sort -V | head -1)" = "$swift_wanted" ] ||
    die "Swift $swift_wanted or newer is needed, and $swift_path is ${version:-unknown}: get it from https://www.swift.org/install/linux/."
  mkdir -p build
  printf '%s' "$swift_now" > "$swift_stamp"
fi

# --- system packages ---------------------------------------------------------------------------------
missing=()
need() { missing+=("$@"); }
for pair in pkg-config:pkg-config sqlite3:sqlite3 valgrind:valgrind xz:xz-utils nm:binutils cc:gcc c++:g++ advzip:advancecomp; do
  command -v "${pair%%:*}" > /dev/null || need "${pair#*:}"
done
if command -v pkg-config > /dev/null; then
  pkg-config --exists jansson || need libjansson-dev
  pkg-config --exists sqlite3 || need libsqlite3-dev
  pkg-config --exists lmdb || need liblmdb-dev
  pkg-config --exists libpq || need libpq-dev
else
  need libjansson-dev libsqlite3-dev liblmdb-dev libpq-dev
fi
if [ "${1:-}" != toolchain ] && [ ! -x .venv/bin/python ]; then
  command -v "$python" > /dev/null || need python3
  "$python" -c 'import ensurepip, venv' 2> /dev/null || need python3-venv
fi
if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get > /dev/null ||
    die "these packages (by their Debian names) are missing; please install them: ${missing[*]}."
  as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null ||
      die "these packages are missing; please install them as root: apt-get install ${missing[*]}"
    as_root=(sudo)
  fi
  say "installing system packages: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" > /dev/null
fi
[ "${1:-}" != toolchain ] || exit 0

# --- servers for the tests -----------------------------------------------------------------------------
# Without one its tests are skipped, so a machine that cannot have it is no error. Asked once a build folder.
wanted=()
compgen -G '/usr/lib/postgresql/*/bin/initdb' > /dev/null || command -v initdb > /dev/null || wanted+=(postgresql)
command -v redis-server > /dev/null || wanted+=(redis-server)
[ -n "$(compgen -G '/usr/lib/*/libhiredis.so*' || compgen -G '/usr/lib*/libhiredis.so*')" ] || wanted+=(libhiredis-dev)
command -v pgbouncer > /dev/null || [ -x /usr/sbin/pgbouncer ] || wanted+=(pgbouncer)
if [ ${#wanted[@]} -gt 0 ] && [ "$(cat build/servers.stamp 2> /dev/null)" != "${wanted[*]}" ]; then
  as_root=()
  [ "$(id -u)" = 0 ] || as_root=(sudo -n)
  say "installing servers for the tests: ${wanted[*]}"
  if ! { command -v apt-get && "${as_root[@]}" apt-get update -qq &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${wanted[@]}"; } > /dev/null 2>&1; then
    say "they cannot be installed here; the tests that need them will be skipped"
    mkdir -p build
    printf '%s' "${wanted[*]}" > build/servers.stamp
  fi
fi

# --- Python environment ------------------------------------------------------------------------------
stamp=.venv/.memex-stamp
now="$(cksum python/poetry.lock tools/locked_requirements.py)"
if [ ! -f "$stamp" ] || [ "$(<"$stamp")" != "$now" ]; then
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
    die "Python 3.10 or newer is needed, and $python is $("$python" --version 2>&1); name another one with PYTHON=."
  if [ ! -x .venv/bin/python ]; then
    say "creating the Python environment .venv"
    "$python" -m venv .venv
  fi
  say "installing the development dependencies that python/poetry.lock names"
  .venv/bin/python tools/locked_requirements.py > .venv/requirements.txt
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
    --requirement .venv/requirements.txt
  printf '%s' "$now" > "$stamp"
fi
