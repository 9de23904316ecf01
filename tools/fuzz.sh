#!/usr/bin/env bash
# Fuzzes the JSON scanner against jansson: real messages, changed a little, must be judged alike by both.
#
#   FUZZ_SECONDS=600   how long; building is not counted
#   FUZZ_COUNT=        instead: how many messages
#   FUZZ_SEED=         where to begin; else another place every time
#
# Runs the body fuzzing of Tests/MemexModelTests in rounds, each with a seed of its own, and ends at the first
# finding, with what repeats it. A crash is a finding.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds="${FUZZ_SECONDS:-600}" count="${FUZZ_COUNT:-0}" seed="${FUZZ_SEED:-$(date +%s)}"
for number in "$seconds" "$count" "$seed"; do
  [[ "$number" =~ ^[0-9]{1,15}$ ]] || { echo "error: not a whole number: $number" >&2; exit 2; }
done
round_seconds=20
log=build/fuzz.log
mkdir -p build

tools/quiet.sh "building the fuzz tests" env MEMEX_STRICT="${STRICT:-1}" \
  swift build --build-tests --scratch-path build/debug

goal="for $seconds s"
[ "$count" = 0 ] || goal="$count messages"
printf '==> fuzzing the scanner against jansson, %s, from seed %s\n' "$goal" "$seed"

executed=0 accepted=0 rounds=0 rate=0 findings=0
started="$(date +%s%N)"
microseconds() { echo $((($(date +%s%N) - started) / 1000)); }
# 1234567 -> 1,234,567
grouped() { sed -E ':a; s/^([0-9]+)([0-9]{3})/\1,\2/; ta' <<< "$1"; }

summary() {
  local took=$(($(microseconds) / 1000000))
  printf '    %s executions in %d rounds, %d s; %s taken, %s refused; %d findings\n' "$(grouped "$executed")" \
    "$rounds" "$took" "$(grouped "$accepted")" "$(grouped $((executed - accepted)))" "$findings"
}
trap 'echo; echo "    stopped"; summary; exit 130' INT TERM

while true; do
  # So many messages as the time that is left allows, judged by the rounds before.
  left=$((seconds * 1000000 - $(microseconds)))
  messages=20000
  [ "$rate" = 0 ] || messages=$((rate * round_seconds))
  if [ "$count" != 0 ]; then
    [ "$executed" -lt "$count" ] || break
    [ $((count - executed)) -ge "$messages" ] || messages=$((count - executed))
    # Two workers share a round evenly.
    messages=$((messages + messages % 2))
  else
    [ "$left" -gt 0 ] || break
    if [ "$rate" != 0 ]; then
      possible=$((rate * left / 1000000))
      [ "$possible" -gt 2000 ] || break
      [ "$possible" -ge "$messages" ] || messages="$possible"
    fi
  fi

  before="$(microseconds)" status=0
  MEMEX_FUZZ_ITERATIONS="$messages" MEMEX_FUZZ_SEED="$seed" \
    swift test --skip-build --scratch-path build/debug --filter FuzzTests/subset > "$log" 2>&1 || status=$?
  read -r done_now taken_now < <(awk '/^fuzz: / { done += $2; taken += $6 } END { print done + 0, taken + 0 }' "$log")
  executed=$((executed + done_now)) accepted=$((accepted + taken_now)) rounds=$((rounds + 1))
  took=$(($(microseconds) - before))
  if [ "$status" != 0 ] || [ "$done_now" = 0 ]; then
    findings=$((findings + 1))
    printf '\n' >&2
    grep -aE 'recorded an issue|Fatal error|signal|↳' "$log" | grep -avE 'Testing Library|Target Platform' | head -n 20 >&2 ||
      tail -n 20 "$log" >&2
    printf '\nFINDING in round %d (all of it: %s). Repeat it with\n    %s\n' "$rounds" "$log" \
      "MEMEX_FUZZ_SEED=$seed MEMEX_FUZZ_ITERATIONS=$messages swift test --scratch-path build/debug --filter FuzzTests/subset" >&2
    summary
    exit 1
  fi
  rate=$((done_now * 1000000 / (took > 0 ? took : 1)))
  [ "$rate" -gt 0 ] || rate=1
  at=$(($(microseconds) / 1000000))
  printf '    %2d:%02d  round %-3d  seed %s  %12s messages  %9s/s  0 findings\n' $((at / 60)) $((at % 60)) "$rounds" \
    "$seed" "$(grouped "$executed")" "$(grouped "$rate")"
  seed=$((seed + 1))
done
summary
