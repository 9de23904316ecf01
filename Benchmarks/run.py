#!/usr/bin/env python3
"""Measures the library against what there is, in one run, and says which figures were reached.

    run.py                     everything: 15 to 25 minutes
    run.py --quick             a smoke test: small, one round, no judgement; under a minute
    run.py --only append_c,load_tail
    run.py --list

Contestants of one row take turns, round by round. A row shows the round whose ratio is the median of all
rounds; figures that are absolute show the least disturbed round. build/bench.json has the rows, build/bench/runs.json
every single run. README.md in this folder says what each row is.

Exit status 1: a contestant failed, lost a message or changed one. A target that is missed is no failure.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Optional

import data

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OUT = ROOT / "build" / "bench"
PROGRAMS = ("raw_sqlite", "same_schema", "memex_bench", "load_library")
AGENTS = "openai-agents==0.24.0"

Run = dict[str, Any]
Pair = tuple[Optional[float], Optional[float]]


@dataclass
class Contestant:
    """One command of a task; {db} is a fresh file, {data} the messages."""

    name: str
    command: list[str]
    disk: bool = False
    pinned: bool = True
    counted: bool = False
    environment: dict[str, str] = field(default_factory=dict)


@dataclass
class Row:
    """One line of the result."""

    name: str
    what: str
    unit: str
    target: str
    figure: Callable[[dict[str, Run]], Pair]
    # None: reported without a target. A bar on the ratio, or on ours when absolute.
    at_most: Optional[float] = None
    at_least: Optional[float] = None
    absolute: bool = False
    note: Optional[Callable[[dict[str, Run]], str]] = None


@dataclass
class Task:
    """Contestants that take turns, and the rows that come of it."""

    contestants: list[Contestant]
    rows: list[Row]
    rounds: int = 0


@dataclass
class Result:
    """A measured row."""

    row: Row
    ours: Optional[float] = None
    reference: Optional[float] = None
    ratio: Optional[float] = None
    spread: Optional[tuple[float, float]] = None
    note: str = ""
    failure: str = ""

    def met(self) -> Optional[bool]:
        """Whether the target was reached; None without one."""
        row, value = self.row, self.ours if self.row.absolute else self.ratio
        if self.failure or value is None or (row.at_most is None and row.at_least is None):
            return None
        return (row.at_most is None or value <= row.at_most) and (
            row.at_least is None or value >= row.at_least
        )


class Failure(Exception):
    """A contestant failed."""


# --- what is measured ------------------------------------------------------------------------------


@dataclass
class Sizes:
    """How much work."""

    appends: int = 20_000
    agents: int = 3_000
    thread: int = 10_000
    grown: int = 100_000
    blocks: int = 40
    million: int = 1_000_000
    each: int = 1_500
    each_64: int = 400
    python_each: int = 1_000
    processes_each: int = 500


QUICK = Sizes(2_000, 200, 2_000, 5_000, 4, 20_000, 100, 20, 50, 40)


class Setting:
    """Paths and sizes of a run."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.quick: bool = arguments.quick
        self.sizes = QUICK if self.quick else Sizes()
        self.library = Path(arguments.library).resolve()
        self.package = Path(arguments.package).resolve()
        self.rounds = 1 if self.quick else arguments.rounds
        self.agents_python = OUT / "venv-agents" / "bin" / "python"
        memory = Path("/dev/shm")
        self.memory = (memory if memory.is_dir() else OUT) / f"memex-bench-{os.getpid()}"
        self.disk = OUT / f"disk-{os.getpid()}"


def program(name: str, *arguments: object) -> list[str]:
    """The command of a C program."""
    return [str(OUT / name), *map(str, arguments)]


def peers(*arguments: object, python: str = sys.executable) -> list[str]:
    """The command of python_peers.py."""
    return [python, str(HERE / "python_peers.py"), *map(str, arguments)]


def value(name: str, key: str) -> Callable[[dict[str, Run]], float]:
    """A figure of a contestant."""
    return lambda runs: float(runs[name][key])


def pair(key: str, ours: str = "ours", reference: str = "reference") -> Callable[..., Pair]:
    """The same figure of two contestants."""
    return lambda runs: (float(runs[ours][key]), float(runs[reference][key]))


def speed(ours: str, reference: str) -> Callable[..., Pair]:
    """Appends in a second of CPU time."""
    return lambda runs: (1e6 / runs[ours]["cpu_us"], 1e6 / runs[reference]["cpu_us"])


def per(key: str, name: str) -> Callable[[dict[str, Run]], float]:
    """A count for each append."""
    return lambda runs: float(runs[name][key] / runs[name]["n"])


def append_tasks(setting: Setting) -> list[Task]:
    """Durable appends of one writer: CPU on tmpfs, then syncs and frames on disk."""
    n = setting.sizes.appends

    def shape(run: int, batch: int = 1) -> list[object]:
        return ["{db}", "{data}", n, data.THREADS, run, batch]

    def counts(name: str, run: int, kind: str) -> Task:
        ours, raw = per("frames", "ours"), per("frames", "reference")
        return Task(
            [
                Contestant(
                    "ours",
                    program("memex_bench", "append", *shape(run), "json"),
                    disk=True,
                    counted=True,
                ),
                Contestant(
                    "reference",
                    program("raw_sqlite", "append", *shape(run)),
                    disk=True,
                    counted=True,
                ),
            ],
            [
                Row(
                    f"append_syncs{name}",
                    f"syncs of commits an append, {kind}",
                    "syncs/append",
                    "1",
                    lambda runs: (
                        per("commit_syncs", "ours")(runs),
                        per("commit_syncs", "reference")(runs),
                    ),
                    at_most=1,
                    at_least=1,
                    absolute=True,
                    note=lambda runs: "checkpoints' syncs for 1,000 appends: "
                    f"{1000 * per('checkpoint_syncs', 'ours')(runs):.1f}, "
                    f"reference {1000 * per('checkpoint_syncs', 'reference')(runs):.1f}",
                ),
                Row(
                    f"append_frames{name}",
                    f"log frames an append, {kind}",
                    "frames/append",
                    "reported",
                    lambda runs: (ours(runs), raw(runs)),
                ),
            ],
            rounds=1,
        )

    def cpu(name: str, what: str, bar: float, ours: str, reference: str = "raw") -> Row:
        return Row(name, what, "us CPU", f"<= {bar}", pair("cpu_us", ours, reference), at_most=bar)

    runs = Task(
        [
            Contestant("raw", program("raw_sqlite", "append", *shape(200))),
            Contestant("json", program("memex_bench", "append", *shape(200), "json")),
            Contestant("same", program("same_schema", "append", *shape(200))),
            Contestant("text", program("memex_bench", "append", *shape(200), "text")),
        ],
        [
            cpu("append_c", "append JSON, runs in a thread / raw C", 1.0, "json"),
            cpu("append_text_c", "append text, runs in a thread / raw C", 1.0, "text"),
            cpu("append_c_same", "append JSON, runs / C with our schema", 1.1, "json", "same"),
        ],
    )
    robin = Task(
        [
            Contestant("raw", program("raw_sqlite", "append", *shape(1))),
            Contestant("json", program("memex_bench", "append", *shape(1), "json")),
            Contestant("same", program("same_schema", "append", *shape(1))),
        ],
        [
            cpu("append_c_rr", "append JSON, round robin over 100 threads / raw C", 1.2, "json"),
            Row(
                "append_c_same_rr",
                "append JSON, round robin / C with our schema",
                "us CPU",
                "<= 1.1",
                pair("cpu_us", "json", "same"),
                at_most=1.1,
            ),
        ],
    )
    turns = Task(
        [
            Contestant("raw", program("raw_sqlite", "append", *shape(20))),
            Contestant("json", program("memex_bench", "append", *shape(20), "json")),
        ],
        [
            Row(
                "append_c_turns",
                "append JSON, 20 a turn over 100 threads / raw C",
                "us CPU",
                "reported",
                pair("cpu_us", "json", "raw"),
            )
        ],
    )
    bulk = Task(
        [
            Contestant("raw", program("raw_sqlite", "append", *shape(200, 50))),
            Contestant("json", program("memex_bench", "append", *shape(200, 50), "json")),
        ],
        [
            Row(
                "append_bulk",
                "50 messages a call / raw C, 50 a transaction",
                "msg/s CPU",
                ">= 0.8",
                speed("json", "raw"),
                at_least=0.8,
            )
        ],
    )
    growth = Task(
        [
            Contestant(
                "ours",
                program(
                    "memex_bench",
                    "growth",
                    "{db}",
                    "{data}",
                    setting.sizes.grown,
                    setting.sizes.blocks,
                ),
            )
        ],
        [
            Row(
                "append_growth",
                f"append at {setting.sizes.grown:,} messages / at 0",
                "us CPU",
                "<= 1.1",
                lambda runs: (runs["ours"]["grown_us"], runs["ours"]["fresh_us"]),
                at_most=1.1,
            )
        ],
    )
    return [
        runs,
        robin,
        turns,
        bulk,
        growth,
        counts("", 200, "runs in a thread"),
        counts("_rr", 1, "round robin"),
    ]


def python_tasks(setting: Setting) -> list[Task]:
    """The same from Python."""
    n, few = setting.sizes.appends // 2, setting.sizes.agents
    threads = data.THREADS
    tasks = [
        Task(
            [
                Contestant("reference", peers("append", "sqlite3", "{db}", n, threads, 200)),
                Contestant("ours", peers("append", "ours", "{db}", n, threads, 200)),
                Contestant("text", peers("append", "ours_text", "{db}", n, threads, 200)),
            ],
            [
                Row(
                    "append_python",
                    "append dicts from Python / sqlite3 by hand",
                    "us CPU",
                    "<= 1.1",
                    pair("cpu_us"),
                    at_most=1.1,
                ),
                Row(
                    "append_text_python",
                    "append role and text from Python / sqlite3 by hand",
                    "us CPU",
                    "reported",
                    pair("cpu_us", "text"),
                ),
            ],
        )
    ]
    agents = Row(
        "append_python_agents",
        "append dicts from Python / openai-agents' SQLiteSession",
        "msg/s CPU",
        ">= 6",
        speed("ours", "reference"),
        at_least=6,
    )
    agents_python = str(setting.agents_python)
    if not setting.quick or setting.agents_python.exists():
        tasks.append(
            Task(
                [
                    Contestant(
                        "reference",
                        peers("append", "agents", "{db}", few, threads, 200, python=agents_python),
                    ),
                    Contestant("ours", peers("append", "ours", "{db}", few, threads, 200)),
                ],
                [agents],
            )
        )
    return tasks


def concurrency_tasks(setting: Setting) -> list[Task]:
    """Many writers on a disk: rates, messages a sync, nothing lost, nothing out of order."""
    sizes = setting.sizes

    def group(name: str, writers: int, each: int) -> Task:
        ours = program("memex_bench", "concurrent", "{db}", "{data}", writers, each, "own")
        raw = program("raw_sqlite", "concurrent", "{db}", "{data}", writers, each)
        return Task(
            [
                Contestant("reference", raw, disk=True, pinned=False, counted=True),
                Contestant("ours", ours, disk=True, pinned=False, counted=True),
            ],
            [
                Row(
                    name,
                    f"{writers} writer threads / group commit in C",
                    "msg/s",
                    ">= 1.0",
                    pair("rate"),
                    at_least=1.0,
                ),
                Row(
                    f"{name}_per_sync",
                    f"messages a sync, {writers} writer threads",
                    "msg/sync",
                    ">= 6" if writers == 8 else "reported",
                    lambda runs: (
                        1 / per("commit_syncs", "ours")(runs),
                        1 / per("commit_syncs", "reference")(runs),
                    ),
                    at_least=6 if writers == 8 else None,
                    absolute=True,
                ),
            ],
        )

    checked = "0 lost, 0 out of order"
    same = Contestant(
        "ours",
        program("memex_bench", "concurrent", "{db}", "{data}", 8, sizes.each, "same"),
        disk=True,
        pinned=False,
    )
    same_64 = Contestant(
        "many",
        program("memex_bench", "concurrent", "{db}", "{data}", 64, sizes.each_64, "same"),
        disk=True,
        pinned=False,
    )

    def lost(_: dict[str, Run]) -> Pair:
        # A contestant that loses or reorders a message ends with a failure and never comes here.
        return 0.0, None

    return [
        group("append_concurrent", 8, sizes.each),
        group("append_concurrent_64", 64, sizes.each_64),
        Task(
            [same, same_64],
            [
                Row(
                    "append_concurrent_lost",
                    "lost or out of order: 8 and 64 writers of one thread",
                    "messages",
                    checked,
                    lost,
                    at_most=0,
                    absolute=True,
                    note=lambda runs: f"{runs['ours']['rate']:,.0f} and {runs['many']['rate']:,.0f} msg/s",
                )
            ],
        ),
        Task(
            [
                Contestant(
                    "reference",
                    program("raw_sqlite", "concurrent", "{db}", "{data}", 8, sizes.each),
                    disk=True,
                    pinned=False,
                ),
                Contestant(
                    "ours",
                    peers("concurrent", "{db}", 8, sizes.python_each),
                    disk=True,
                    pinned=False,
                ),
            ],
            [
                Row(
                    "append_concurrent_python",
                    "8 Python threads / 8 threads with group commit in C",
                    "msg/s",
                    ">= 0.6; 0 lost",
                    pair("rate"),
                    at_least=0.6,
                )
            ],
        ),
        Task(
            [
                Contestant(
                    name,
                    program(
                        "memex_bench",
                        "processes",
                        "{db}",
                        "{data}",
                        4,
                        2,
                        sizes.processes_each,
                        name,
                    ),
                    disk=True,
                    pinned=False,
                )
                for name in ("own", "same")
            ],
            [
                Row(
                    "append_processes",
                    "4 processes of 2 threads, a thread each",
                    "msg/s",
                    checked,
                    lambda runs: (runs["own"]["rate"], None),
                    at_least=0,
                    absolute=True,
                    note=lambda runs: f"all into one thread: {runs['same']['rate']:,.0f} msg/s",
                )
            ],
        ),
    ]


def reading_tasks(setting: Setting) -> list[Task]:
    """Tails, whole threads, windows."""
    fill, million = setting.sizes.thread, setting.sizes.million
    load = Task(
        [
            Contestant("raw", program("raw_sqlite", "load", "{db}", "{data}", fill)),
            Contestant("ours", program("memex_bench", "load", "{db}", "{data}", fill)),
            Contestant("decode", peers("decode", fill)),
            Contestant("python", peers("load", "{db}", fill)),
        ],
        [
            Row(
                "load_tail_c",
                f"last 50 of {fill:,} through C / raw C",
                "us",
                "<= 1.0",
                pair("tail_us", "ours", "raw"),
                at_most=1.0,
            ),
            Row(
                "load_tail",
                f"last 50 of {fill:,} as dicts / raw C + decode",
                "us",
                "<= 65 us at 53 (1.23)",
                lambda runs: (
                    runs["python"]["tail_us"],
                    runs["raw"]["tail_us"] + runs["decode"]["tail_us"],
                ),
                at_most=65 / 53,
            ),
            Row(
                "load_all",
                f"all of {fill:,} as dicts / raw C + decode",
                "ms",
                "<= 22 ms at 18 (1.22)",
                lambda runs: (
                    runs["python"]["all_ms"],
                    runs["raw"]["all_ms"] + runs["decode"]["all_ms"],
                ),
                at_most=22 / 18,
                note=lambda runs: f"through C {runs['ours']['all_ms']:.1f} ms, "
                f"raw C {runs['raw']['all_ms']:.1f}",
            ),
        ],
    )
    window = Task(
        [
            Contestant("raw", program("raw_sqlite", "load", "{db}", "{data}", fill)),
            Contestant("ours", program("memex_bench", "window", "{db}", "{data}", fill)),
            Contestant("large", program("memex_bench", "window", "{db}", "{data}", million)),
        ],
        [
            Row(
                "window_8k",
                f"window of 8,000 tokens over {fill:,}; reference: raw C, unchecked",
                "ms",
                "<= 0.15 ms",
                pair("window_ms", "ours", "raw"),
                at_most=0.15,
                absolute=True,
            ),
            Row(
                "window_8k_1m",
                f"the same over {million:,} / over {fill:,}",
                "ms",
                "<= 1.2",
                pair("window_ms", "large", "ours"),
                at_most=1.2,
            ),
        ],
    )
    return [load, window]


def memory_tasks(setting: Setting) -> list[Task]:
    """The memory store, and the library itself."""
    million = setting.sizes.million
    memory = Task(
        [Contestant("ours", program("memex_bench", "memory", "{data}", million))],
        [
            Row(
                "append_memory",
                "append to the memory store through C",
                "msg/s CPU",
                ">= 300,000",
                lambda runs: (1e6 / runs["ours"]["cpu_us"], None),
                at_least=300_000,
                absolute=True,
            ),
            Row(
                "memory_1m",
                f"{million:,} messages in the memory store",
                "MB",
                "<= 500 MB",
                lambda runs: (runs["ours"]["resident_mb"], runs["ours"]["raw_mb"]),
                at_most=500,
                absolute=True,
                note=lambda runs: "reference: the bodies' bytes",
            ),
        ],
        rounds=min(3, setting.rounds),
    )

    def size(_: dict[str, Run]) -> Pair:
        return setting.library.stat().st_size / 1e6, None

    load = Contestant("ours", program("load_library", setting.library))
    library = Task(
        [load],
        [
            Row("size", "the library, stripped", "MB", "<= 8 MB", size, at_most=8, absolute=True),
            Row(
                "load_library",
                "dlopen in a fresh process",
                "ms",
                "<= 5 ms",
                lambda runs: (runs["ours"]["ms"], None),
                at_most=5,
                absolute=True,
            ),
        ],
        rounds=1 if setting.quick else 15,
    )
    imports = Task(
        [Contestant("ours", peers("import", 2 if setting.quick else 15))],
        [
            Row(
                "import",
                "import memexllm, over bare Python",
                "ms",
                "<= 30 ms",
                lambda runs: (runs["ours"]["import_ms"], None),
                at_most=30,
                absolute=True,
                note=lambda runs: f"bare Python {runs['ours']['bare_ms']:.1f} ms",
            )
        ],
    )
    return [memory, library, imports]


def all_tasks(setting: Setting) -> list[Task]:
    """Everything, in the order of the table."""
    return [
        *append_tasks(setting),
        *python_tasks(setting),
        *concurrency_tasks(setting),
        *reading_tasks(setting),
        *memory_tasks(setting),
    ]


# --- measuring -------------------------------------------------------------------------------------


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
        environment = {**self.environment, **contestant.environment}
        if contestant.pinned:
            environment["BENCH_CORE"] = str(core)
        if contestant.counted:
            environment["LD_PRELOAD"] = str(OUT / "sync_count.so")
        places = {"{db}": str(folder / "bench.db"), "{data}": str(OUT / "data" / "chat.bin")}
        command = [places.get(word, word) for word in contestant.command]
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

    def measure(self, task: Task, progress: Progress, wanted: list[Row]) -> list[Result]:
        """Runs a task's rounds; a failure fails its rows."""
        rounds: list[dict[str, Run]] = []
        count = 1 if self.setting.quick else task.rounds or self.setting.rounds
        try:
            for number in range(count):
                core = quietest_core()
                runs: dict[str, Run] = {}
                for contestant in task.contestants:
                    progress.show(
                        f"{wanted[0].name}: round {number + 1} of {count}, {contestant.name}"
                    )
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


# --- getting ready ---------------------------------------------------------------------------------


def build(setting: Setting) -> None:
    """Compiles the programs and writes the data, when they are older than what they come from."""
    OUT.mkdir(parents=True, exist_ok=True)
    compiler = os.environ.get("CC", "cc")
    flags = ["-O2", "-Wall", "-Wextra", "-std=c11", "-D_GNU_SOURCE", f"-I{ROOT / 'include'}"]
    headers = list(HERE.glob("*.h"))
    for name in (*PROGRAMS, "sync_count"):
        source = HERE / f"{name}.c"
        target = OUT / (f"{name}.so" if name == "sync_count" else name)
        inputs = [source, *headers, *([setting.library] if name == "memex_bench" else [])]
        if target.exists() and target.stat().st_mtime > max(i.stat().st_mtime for i in inputs):
            continue
        command = [compiler, *flags, str(source), "-o", str(target)]
        if name == "sync_count":
            command += ["-shared", "-fPIC"]
        if name == "memex_bench":
            command += [str(setting.library)]
        libraries = ["-lsqlite3", "-pthread", "-ldl"] if name != "sync_count" else ["-ldl"]
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


# --- showing ---------------------------------------------------------------------------------------


class Progress:
    """A line that says what runs, on a terminal."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self.started = time.monotonic()

    def show(self, text: str) -> None:
        """Replaces the line."""
        if not self.live:
            return
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        line = f"{minutes}:{seconds:02}  {text}"
        sys.stderr.write("\r\x1b[K" + line[: shutil.get_terminal_size().columns - 1])
        sys.stderr.flush()

    def clear(self) -> None:
        """Removes the line."""
        if self.live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def shown(number: Optional[float]) -> str:
    """A figure with three digits that matter."""
    if number is None:
        return "-"
    if number == int(number) and abs(number) < 1e6:
        return f"{number:,.0f}"
    size = abs(number)
    return f"{number:,.0f}" if size >= 1000 else f"{number:.3g}" if size < 100 else f"{number:.0f}"


class Table:
    """Rows for people, as wide as the terminal allows."""

    heads = ("name", "what", "ours", "reference", "ratio", "target", "")
    # ours, reference, ratio, target, verdict
    widths = (10, 10, 6, 22, 7)

    def __init__(self) -> None:
        self.width = max(60, min(shutil.get_terminal_size((120, 24)).columns, 170))
        self.colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self.name = 28
        self.what = self.width - self.name - sum(self.widths) - 6 * 2
        self.narrow = self.what < 16

    def paint(self, text: str, code: str) -> str:
        """Text in a colour, on a terminal."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def line(self, cells: tuple[str, ...], colour: str = "") -> None:
        """One row; what is too long continues below."""
        name, what, *rest = cells
        figures = [f"{c:>{w}}" for c, w in zip(rest[:3], self.widths)]
        figures.append(f"{rest[3]:<{self.widths[3]}}")
        verdict = f"{rest[4]:<{self.widths[4]}}".rstrip()
        if self.narrow:
            print(f"{name}  {self.paint(verdict, colour) if colour else verdict}")
            for part in textwrap.wrap(what, self.width - 2):
                print(f"  {part}")
            print(f"  {' '.join(word.strip() for word in figures)}")
            return
        parts = textwrap.wrap(what, self.what) or [""]
        first = [f"{name:<{self.name}}", f"{parts[0]:<{self.what}}", *figures]
        print("  ".join(first) + "  " + (self.paint(verdict, colour) if colour else verdict))
        for part in parts[1:]:
            print(" " * (self.name + 2) + part)

    def head(self) -> None:
        """The names of the columns."""
        self.line(self.heads)
        print("-" * self.width)

    def result(self, result: Result, judged: bool) -> None:
        """A measured row."""
        row = result.row
        if result.failure:
            self.line((row.name, result.failure, "-", "-", "-", row.target, "FAILED"), "31")
            return
        met = result.met() if judged else None
        verdict = {None: "", True: "met", False: "MISSED"}[met]
        what = f"{row.what} [{row.unit}]"
        if result.spread and not row.absolute:
            what += f" ({result.spread[0]:.2f}-{result.spread[1]:.2f})"
        if result.note:
            what += f"; {result.note}"
        ratio = "-" if result.ratio is None else f"{result.ratio:.2f}"
        cells = (row.name, what, shown(result.ours), shown(result.reference), ratio, row.target)
        self.line((*cells, verdict), {None: "", True: "32", False: "33"}[met])


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
    parser.add_argument("--rounds", type=int, default=5, help="how often contestants take turns")
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
            found = bench.measure(task, progress, wanted)
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
            f"\n{len(results) - len(failed)} of {len(results)} rows ran; figures this small say nothing"
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
