#!/usr/bin/env bash
# Installs dist/ under PREFIX, below DESTDIR when packaging.
#
#   PREFIX=/usr/local DESTDIR= tools/install.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
prefix="${PREFIX:-/usr/local}"
libdir="${LIBDIR:-$prefix/lib}"
to="${DESTDIR:-}"
case "$prefix" in /*) ;; *) echo "error: PREFIX must be an absolute path" >&2; exit 1 ;; esac

install -d "$to$libdir/pkgconfig" "$to$prefix/include/memex"
install -m 755 dist/libmemex.so.0 "$to$libdir/libmemex.so.0"
ln -sfn libmemex.so.0 "$to$libdir/libmemex.so"
install -m 644 dist/include/memex.h "$to$prefix/include/memex.h"
install -m 644 dist/include/memex.hpp "$to$prefix/include/memex.hpp"
install -m 644 dist/include/memex/*.hpp "$to$prefix/include/memex/"
tools/pkg_config.sh "$prefix" "$libdir" > "$to$libdir/pkgconfig/memex.pc"
chmod 644 "$to$libdir/pkgconfig/memex.pc"
echo "installed libmemex.so.0, libmemex.so, memex.h, memex.hpp and memex.pc under $to$prefix"
