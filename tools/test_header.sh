#!/usr/bin/env bash
# The header compiles alone and twice included, as C and as C++, without a warning; so does memex.hpp, and each
# of its parts.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
header="${1:-include/memex.h}"
wrapper=bindings/cpp
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp "$header" "$work/memex.h"
cat > "$work/once.c" <<'END'
#include "memex.h"
uint32_t (*one_function)(void) = memex_version_number;
END
cat > "$work/twice.c" <<'END'
#include "memex.h"
#include "memex.h"
uint32_t (*one_function)(void) = memex_version_number;
END
cp "$work/once.c" "$work/once.cc"
cp "$work/twice.c" "$work/twice.cc"
count=0
compile() {
  "$@" -Wall -Wextra -Wpedantic -Werror -I"$work" -c -o "$work/out.o"
  count=$((count + 1))
}
c_compilers=(cc)
cxx_compilers=(c++)
if command -v clang > /dev/null; then c_compilers+=(clang); cxx_compilers+=(clang++); fi
for compiler in "${c_compilers[@]}"; do
  for standard in c99 c11 c17; do
    for file in once twice; do compile "$compiler" -std="$standard" -Wstrict-prototypes "$work/$file.c"; done
  done
  compile "$compiler" -std=c99 -x c "$work/memex.h"
done
for compiler in "${cxx_compilers[@]}"; do
  for standard in c++11 c++17 c++20; do
    for file in once twice; do compile "$compiler" -std="$standard" "$work/$file.cc"; done
  done
done
for part in memex.hpp $(cd "$wrapper" && printf '%s\n' memex/*.hpp); do
  printf '#include "%s"\n#include "%s"\n' "$part" "$part" > "$work/part.cc"
  for compiler in "${cxx_compilers[@]}"; do
    compile "$compiler" -std=c++17 -I"$wrapper" "$work/part.cc"
  done
done
echo "every header compiles alone and twice: $count compilations, 0 warnings"
