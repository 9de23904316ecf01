#!/usr/bin/env bash
# Says what a command is for, runs it silently, and shows its output only when it fails.
#
#   tools/quiet.sh [-t LINES] "what it does" command argument...
#
# -t also shows the last lines of the output of a command that succeeded.
set -uo pipefail
lines=0
if [ "$1" = -t ]; then lines="$2"; shift 2; fi
what="$1"
shift
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
printf '==> %s\n' "$what"
started=$SECONDS
if "$@" > "$log" 2>&1; then
  [ "$lines" = 0 ] || tail -n "$lines" "$log" | sed 's/^/    /'
  took=$((SECONDS - started))
  [ "$took" -lt 5 ] || printf '    (%d s)\n' "$took"
else
  status=$?
  cat "$log" >&2
  printf 'FAILED (status %d): %s\n' "$status" "$what" >&2
  exit "$status"
fi
