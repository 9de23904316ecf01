#!/usr/bin/env bash
# Compiles and runs C and C++ programs against the library, each in an empty folder; all must end with 0.
#
#   tools/run_c_programs.sh plain|valgrind|asan FILE...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root="$PWD"
mode="$1"
shift
flags=(-Wall -Wextra -Werror -g -O1 -I"$root/include" -I"$root/bindings/cpp" -pthread)
library="$root/dist"
cc=cc cxx=c++
runner=(env)
case "$mode" in
  plain) ;;
  valgrind)
    runner=(valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite
      --child-silent-after-fork=no --num-callers=30)
    ;;
  asan) # Swift's own clang: the sanitizer of the library and of the program must be one.
    cc=clang cxx=clang++
    library="$root/build/asan/release"
    flags+=(-fsanitize=address -fno-omit-frame-pointer -fuse-ld=lld)
    runner=(env ASAN_OPTIONS=detect_leaks=0:abort_on_error=0 SWIFT_BACKTRACE=enable=no)
    ;;
  *) echo "usage: $0 plain|valgrind|asan FILE..." >&2; exit 2 ;;
esac
out="$root/build/c/$mode"
mkdir -p "$out"
for file in "$@"; do
  [ -f "$file" ] || { echo "error: no program $file" >&2; exit 1; }
  name="$(basename "${file%.*}")"
  program="$out/${file##*.}_$name"
  # What users copy is held to the standards; tests look behind them, and may replace the C library's functions.
  case "$file" in
    bindings/*.c) compiler=("$cc" -std=c99 -Wpedantic) ;;
    bindings/*) compiler=("$cxx" -std=c++17 -Wpedantic) ;;
    *.c) compiler=("$cc" -std=c11 -D_GNU_SOURCE -rdynamic -Wl,--as-needed) ;;
    *) compiler=("$cxx" -std=c++17 -D_GNU_SOURCE -rdynamic) ;;
  esac
  # libmemex.so.0 is what the program asks for at run time.
  [ -e "$library/libmemex.so.0" ] || ln -s libmemex.so "$library/libmemex.so.0"
  "${compiler[@]}" "${flags[@]}" "$root/$file" -o "$program" -L"$library" -lmemex -Wl,-rpath,"$library"
  rm -rf "$program.work"
  mkdir "$program.work"
  started=$SECONDS
  if (cd "$program.work" && timeout "${MEMEX_PROGRAM_TIMEOUT:-600}" "${runner[@]}" "$program") > "$program.log" 2>&1; then
    printf '    %-44s %s ok (%d s)\n' "$file" "$mode${MEMEX_TEST_ENGINE:+, $MEMEX_TEST_ENGINE}" $((SECONDS - started))
    tail -n "${MEMEX_PROGRAM_TAIL:-0}" "$program.log"
  else
    status=$?
    cat "$program.log" >&2
    echo "FAILED (status $status): $file, $mode" >&2
    exit 1
  fi
done
