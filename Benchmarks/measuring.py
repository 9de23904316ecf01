"""Builds the programs and runs contestants by turns."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable

import data
from model import HERE, OUT, ROOT, Contestant, Failure, Pair, Result, Row, Run, Setting, Task

PROGRAMS = (
    "raw_sqlite",
    "raw_lmdb",
    "raw_file",
    "same_schema",
    "memex_bench",
    "load_library",
    "postgresql_bench",
    "redis_bench",
    "token_bench",
)
OURS = ("memex_bench", "postgresql_bench", "redis_bench", "token_bench")
AGENTS = "openai-agents==0.24.0"


def build(setting: Setting) -> None:
    """Compiles the programs and writes the data, when they are older than what they come from."""
    OUT.mkdir(parents=True, exist_ok=True)
    compiler = os.environ.get("CC", "cc")
    flags = ["-O2", "-Wall", "-Wextra", "-std=c11", "-D_GNU_SOURCE", f"-I{ROOT / 'include'}"]
    headers = list(HERE.rglob("*.h"))
    for name in (*PROGRAMS, "sync_count"):
        source = HERE / f"{name}.c"
        target = OUT / (f"{name}.so" if name == "sync_count" else name)
        inputs = [source, *headers, *([setting.library] if name in OURS else [])]
        if target.exists() and target.stat().st_mtime > max(i.stat().st_mtime for i in inputs):
            continue
        command = [compiler, *flags, str(source), "-o", str(target)]
        if name == "sync_count":
            command += ["-shared", "-fPIC"]
        if name in OURS:
            command += [str(setting.library)]
        libraries = ["-lsqlite3", "-pthread", "-ldl"] if name != "sync_count" else ["-ldl"]
        if name in ("raw_lmdb", "raw_file"):
            libraries = ["-llmdb"] if name == "raw_lmdb" else []
        if name == "postgresql_bench":
            libraries = ["-lpq"]
        if name == "redis_bench":
            libraries = ["-lhiredis"]
        subprocess.run(command + libraries, check=True)
    messages = OUT / "data" / "chat.bin"
    if not messages.exists() or messages.stat().st_mtime < (HERE / "data.py").stat().st_mtime:
        messages.parent.mkdir(exist_ok=True)
        data.write(messages, data.generate())


def install_agents(setting: Setting) -> None:
    """An environment of its own for openai-agents, once."""
    if setting.agents_python.exists():
        return
    print(f"installing {AGENTS} into build/bench/venv-agents", file=sys.stderr)
    folder = setting.agents_python.parent.parent
    unfinished = folder.with_name("venv-agents-unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(setting.agents_python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--disable-pip-version-check", AGENTS], check=True)
    except (OSError, subprocess.CalledProcessError):
        shutil.rmtree(folder, ignore_errors=True)
        print("it could not be installed: its row will be missing", file=sys.stderr)


def quietest_core() -> int:
    """The allowed core that did least in the last moment."""

    def busy() -> dict[int, int]:
        out = {}
        for line in Path("/proc/stat").read_text(encoding="ascii").splitlines():
            words = line.split()
            if words and words[0].startswith("cpu") and words[0] != "cpu":
                fields = [int(word) for word in words[1:]]
                out[int(words[0][3:])] = sum(fields) - fields[3] - fields[4]
        return out

    before = busy()
    time.sleep(0.1)
    after = busy()
    # The last core first among equals: interrupts prefer the first.
    return min(
        sorted(os.sched_getaffinity(0), reverse=True),
        key=lambda core: after.get(core, 0) - before.get(core, 0),
    )


class Bench:
    """Runs contestants."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.runs: list[Run] = []
        self.environment = {
            **os.environ,
            "LD_LIBRARY_PATH": str(setting.library.parent),
            "MEMEX_LIBRARY": os.environ.get("MEMEX_LIBRARY", str(setting.library)),
            "PYTHONPATH": str(setting.package),
            "PYTHONDONTWRITEBYTECODE": "",
            "OPENAI_AGENTS_DISABLE_TRACING": "1",
        }

    def run(self, contestant: Contestant, core: int) -> Run:
        """One run of one contestant, in an empty folder."""
        folder = self.setting.disk if contestant.disk else self.setting.memory
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        environment = dict(self.environment)
        if contestant.pinned:
            environment["BENCH_CORE"] = str(core)
        if contestant.counted:
            environment["LD_PRELOAD"] = str(OUT / "sync_count.so")
        places = {"{db}": str(folder / "bench.db"), "{data}": str(OUT / "data" / "chat.bin")}
        command = [places.get(word, word) for word in contestant.command]
        # Other engines than SQLite are named by a URL.
        command = [word.replace("{db}", places["{db}"]) for word in command]
        started = time.perf_counter()
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=600, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Failure(str(error)) from error
        finally:
            seconds = time.perf_counter() - started
            shutil.rmtree(folder, ignore_errors=True)
        if done.returncode:
            lines = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
            raise Failure(f"{' '.join(Path(c).name for c in command[:3])}: {lines[-1]}")
        found: Run = json.loads(done.stdout) if done.stdout.strip() else {}
        found["seconds"] = seconds
        self.runs.append({"contestant": contestant.name, "command": command[1:], **found})
        return found

    def measure(self, task: Task, show: Callable[[str], None], wanted: list[Row]) -> list[Result]:
        """Runs a task's rounds; a failure fails its rows."""
        rounds: list[dict[str, Run]] = []
        count = 1 if self.setting.quick else task.rounds or self.setting.rounds
        try:
            for number in range(count):
                core = quietest_core()
                runs: dict[str, Run] = {}
                for contestant in task.contestants:
                    show(f"{wanted[0].name}: round {number + 1} of {count}, {contestant.name}")
                    runs[contestant.name] = self.run(contestant, core)
                rounds.append(runs)
        except Failure as failure:
            return [Result(row, failure=str(failure)) for row in wanted]
        return [judge(row, rounds) for row in wanted]


def judge(row: Row, rounds: list[dict[str, Run]]) -> Result:
    """The round that stands for all."""
    figures = [(row.figure(runs), runs) for runs in rounds]

    def ratio(found: Pair) -> float:
        ours, reference = found
        return ours / reference if ours is not None and reference else 0.0

    if row.absolute:
        best = max if row.at_least is not None and row.at_most is None else min
        (ours, reference), runs = best(figures, key=lambda figure: figure[0][0] or 0.0)
    else:
        ordered = sorted(figures, key=lambda figure: ratio(figure[0]))
        (ours, reference), runs = ordered[(len(ordered) - 1) // 2]
    result = Result(row, ours, reference, ratio((ours, reference)) if reference else None)
    if len(figures) > 1 and reference:
        ratios = [ratio(figure[0]) for figure in figures]
        result.spread = (min(ratios), max(ratios))
    if row.note:
        result.note = row.note(runs)
    return result
