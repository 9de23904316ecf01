#!/usr/bin/env bash
# Builds the library that is shipped into dist/:
#
#   dist/libmemex.so.0  dist/libmemex.so  dist/memex.pc  dist/include/memex.h, memex.hpp and its parts in memex/
#
# The Makefile, the Python build hook and the reproducibility check all come here, so there is one way to
# build it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scratch=build/dist
dist="${1:-dist}"
# The path of a process is part of what some tools write into files; time and locale must not be.
export MEMEX_DIST=1 LC_ALL=C SOURCE_DATE_EPOCH=0
unset MEMEX_STRICT MEMEX_SANITIZE
swift build -c release --product memex --scratch-path "$scratch" --disable-local-rpath

mkdir -p "$dist/include"
# Replaced in one step, and only when it changed: a process may have the old one mapped.
place() {
  cmp -s "$1" "$2" && return
  cp "$1" "$2.new"
  mv -f "$2.new" "$2"
}
place "$scratch/release/libmemex.so" "$dist/libmemex.so.0"
place include/memex.h "$dist/include/memex.h"
# A source distribution of the Python package has no C++ header.
if [ -d bindings/cpp ]; then
  rm -rf "$dist/include/memex"
  mkdir "$dist/include/memex"
  cp bindings/cpp/memex/*.hpp "$dist/include/memex/"
  place bindings/cpp/memex.hpp "$dist/include/memex.hpp"
fi
ln -sfn libmemex.so.0 "$dist/libmemex.so"
tools/pkg_config.sh '${pcfiledir}' '${pcfiledir}' > "$dist/memex.pc.new"
mv -f "$dist/memex.pc.new" "$dist/memex.pc"
