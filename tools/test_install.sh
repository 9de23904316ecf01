#!/usr/bin/env bash
# Installs the library into an empty folder, as a package would, and builds a C and a C++ program with nothing but
# what pkg-config says.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
PREFIX=/usr/local DESTDIR="$work/root" tools/install.sh
export PKG_CONFIG_PATH="$work/root/usr/local/lib/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$work/root"
read -r -a flags <<< "$(pkg-config --cflags --libs memex)"
# Examples include what lies beside them; here that is nothing of ours.
cp bindings/c/quickstart.c bindings/c/example.h bindings/cpp/quickstart.cpp bindings/cpp/example.hpp "$work/"
cc -std=c99 -Wall -Wextra -Werror "$work/quickstart.c" "${flags[@]}" -o "$work/quickstart_c"
c++ -std=c++17 -Wall -Wextra -Werror "$work/quickstart.cpp" "${flags[@]}" -o "$work/quickstart_cpp"
for program in quickstart_c quickstart_cpp; do
  mkdir "$work/$program.work"
  (cd "$work/$program.work" && LD_LIBRARY_PATH="$work/root/usr/local/lib" "$work/$program" > "$work/$program.log" 2>&1) ||
    { cat "$work/$program.log" >&2; echo "error: $program failed with the installed library" >&2; exit 1; }
done
diff -r bindings/cpp/memex "$work/root/usr/local/include/memex"
echo "installed, and built a C and a C++ program with what pkg-config says"
