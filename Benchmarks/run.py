#!/usr/bin/env python3
"""Measures the library against what there is, in one run, and says which figures were reached.

    run.py                     everything: about six minutes
    run.py --quick             a smoke test: small, one round, no judgement; under a minute
    run.py --only append_c,load_tail
    run.py --list

Contestants of one row take turns, round by round. A row shows the round whose ratio is the median
of all rounds; figures that are absolute show the least disturbed round. build/bench.json has the
rows, build/bench/runs.json every single run. README.md in this folder says what each row is.

Exit status 1: a contestant failed, lost a message or changed one. A missed target is no failure.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Optional

from measuring import Bench, build, install_agents
from model import OUT, ROOT, Result, Run, Setting
from rows import all_tasks
from table import Progress, Table


def rounded(number: Optional[float]) -> Optional[float]:
    """Five digits that matter."""
    return None if number is None else float(f"{number:.5g}")


def write(results: list[Result], runs: list[Run], path: Path) -> None:
    """build/bench.json, and every run beside the programs."""
    rows = [
        {
            "name": r.row.name,
            "ours": rounded(r.ours),
            "reference": rounded(r.reference),
            "ratio": rounded(r.ratio),
            "unit": r.row.unit,
            "target": r.row.target,
        }
        for r in results
        if not r.failure
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    (OUT / "runs.json").write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="smoke test: small, no judgement")
    parser.add_argument("--only", default="", metavar="NAME,...", help="these rows alone")
    parser.add_argument("--rounds", type=int, default=7, help="how often contestants take turns")
    parser.add_argument("--list", action="store_true", help="names of the rows")
    parser.add_argument("--library", default=str(ROOT / "dist" / "libmemex.so.0"), metavar="FILE")
    parser.add_argument("--package", default=str(ROOT / "python" / "src"), metavar="FOLDER")
    parser.add_argument("--output", default=str(ROOT / "build" / "bench.json"), metavar="FILE")
    return parser.parse_args()


def main() -> int:
    """Runs what was asked for."""
    asked = arguments()
    setting = Setting(asked)
    tasks = all_tasks(setting)
    names = [row.name for task in tasks for row in task.rows]
    if asked.list:
        print("\n".join(names))
        return 0
    only = [name for name in asked.only.split(",") if name]
    if unknown := [name for name in only if name not in names]:
        print(f"error: no row {', '.join(unknown)}; --list names them", file=sys.stderr)
        return 2
    if not setting.library.exists():
        print(f"error: there is no {setting.library}; run make build", file=sys.stderr)
        return 2
    build(setting)
    if not setting.quick and (not only or "append_python_agents" in only):
        install_agents(setting)
    progress, table, bench = Progress(), Table(), Bench(setting)
    results: list[Result] = []
    table.head()
    try:
        for task in tasks:
            wanted = [row for row in task.rows if not only or row.name in only]
            if not wanted:
                continue
            found = bench.measure(task, progress.show, wanted)
            progress.clear()
            for result in found:
                table.result(result, judged=not setting.quick)
            sys.stdout.flush()
            results += found
    except KeyboardInterrupt:
        progress.clear()
        print("interrupted: what was measured is kept", file=sys.stderr)
    finally:
        for folder in (setting.memory, setting.disk):
            shutil.rmtree(folder, ignore_errors=True)
    write(results, bench.runs, Path(asked.output))
    failed = [r.row.name for r in results if r.failure]
    missed = [r.row.name for r in results if r.met() is False]
    met = sum(r.met() is True for r in results)
    if setting.quick:
        print(
            f"\n{len(results) - len(failed)} of {len(results)} rows ran;"
            " figures this small say nothing"
        )
    else:
        print(
            f"\n{met} targets met, {len(missed)} missed"
            + (f": {', '.join(missed)}" if missed else "")
        )
    if failed:
        print(f"FAILED: {', '.join(failed)}")
    print(f"written: {asked.output}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
