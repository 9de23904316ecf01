"""tools/fuzz.sh: what it runs, how it counts, how it ends. Stand-ins play the tests themselves."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

FUZZ = Path(__file__).resolve().parent.parent / "fuzz.sh"

SWIFT = """#!/usr/bin/env bash
[ "$1" = test ] || exit 0
echo "$MEMEX_FUZZ_SEED $MEMEX_FUZZ_ITERATIONS" >> "$CALLS"
half=$((MEMEX_FUZZ_ITERATIONS / 2))
echo "fuzz: $half mutations, 1 scanned, 3 accepted in all"
[ "$MEMEX_FUZZ_SEED" = "${BAD_SEED:-}" ] || {
  echo "fuzz: $half mutations, 1 scanned, 4 accepted in all"
  exit 0
}
echo 'x Test "subset" recorded an issue: scanned, refused by jansson: {"role":}'
exit 1
"""


def run(
    folder: Path, **settings: str
) -> tuple[subprocess.CompletedProcess[str], list[tuple[int, int]]]:
    """Runs the script; what it wrote, and the (seed, iterations) of its rounds."""
    (folder / "bin").mkdir()
    stub = folder / "bin" / "swift"
    stub.write_text(SWIFT, encoding="utf-8")
    stub.chmod(0o755)
    calls = folder / "calls"
    path = f"{stub.parent}:{os.environ['PATH']}"
    result = subprocess.run(
        [str(FUZZ)],
        env={**os.environ, "PATH": path, "CALLS": str(calls), **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
    return result, [(int(line.split()[0]), int(line.split()[1])) for line in lines]


def test_a_count_is_kept(tmp_path: Path) -> None:
    """As many messages as were asked for, each round with a seed of its own, and a summary."""
    result, rounds = run(tmp_path, FUZZ_COUNT="50000", FUZZ_SEED="7")
    assert result.returncode == 0, result.stderr
    assert [seed for seed, _ in rounds] == list(range(7, 7 + len(rounds)))
    assert sum(messages for _, messages in rounds) == 50000
    last = result.stdout.splitlines()[-1]
    assert f"50,000 executions in {len(rounds)} rounds" in last
    assert f"{7 * len(rounds)} taken" in last and "0 findings" in last


def test_time_ends_it(tmp_path: Path) -> None:
    """No time, no rounds."""
    result, rounds = run(tmp_path, FUZZ_SECONDS="0")
    assert result.returncode == 0 and not rounds
    assert "0 executions in 0 rounds" in result.stdout


def test_a_finding_ends_it(tmp_path: Path) -> None:
    """It is shown, with what repeats it, and the run fails."""
    result, rounds = run(tmp_path, FUZZ_COUNT="1000000", FUZZ_SEED="7", BAD_SEED="8")
    assert result.returncode == 1
    assert [seed for seed, _ in rounds] == [7, 8]
    assert "scanned, refused by jansson" in result.stderr
    again = re.search(r"MEMEX_FUZZ_SEED=(\d+) MEMEX_FUZZ_ITERATIONS=(\d+)", result.stderr)
    assert again and (int(again[1]), int(again[2])) == rounds[1]
    assert "1 findings" in result.stdout


@pytest.mark.parametrize("name", ["FUZZ_SECONDS", "FUZZ_COUNT", "FUZZ_SEED"])
def test_wrong_settings_are_refused(tmp_path: Path, name: str) -> None:
    """Nothing runs with them."""
    result, rounds = run(tmp_path, **{name: "1h"})
    assert result.returncode == 2 and not rounds and "1h" in result.stderr
