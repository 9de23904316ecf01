"""All rows: who competes, what is compared, which target there is. README.md explains them."""

from __future__ import annotations

import sys
from typing import Callable

import data
from model import HERE, OUT, Contestant, Pair, Row, Run, Setting, Task


def program(name: str, *arguments: object) -> list[str]:
    """The command of a C program."""
    return [str(OUT / name), *map(str, arguments)]


def peers(*arguments: object, python: str = sys.executable) -> list[str]:
    """The command of python_peers.py."""
    return [python, str(HERE / "python_peers.py"), *map(str, arguments)]


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
                    Contestant("ours", peers("append", "ours", "{db}", 5 * few, threads, 200)),
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
                    note=lambda runs: f"{runs['ours']['rate']:,.0f}"
                    f" and {runs['many']['rate']:,.0f} msg/s",
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
    raw = Contestant("raw", program("raw_sqlite", "load", "{db}", "{data}", fill))
    ours = Contestant("ours", program("memex_bench", "load", "{db}", "{data}", fill))
    tail = Row(
        "load_tail_c",
        f"last 50 of {fill:,} through C / raw C",
        "us",
        "<= 1.0",
        pair("tail_us", "ours", "raw"),
        at_most=1.0,
        note=lambda runs: f"all of them {runs['ours']['all_ms']:.1f} ms, "
        f"raw C {runs['raw']['all_ms']:.1f}",
    )
    load = Task(
        [raw, Contestant("python", peers("load", "{db}", fill))],
        [
            Row(
                "load_tail",
                f"last 50 of {fill:,} as dicts / raw C + decode",
                "us",
                "<= 65 us at 53 (1.23)",
                lambda runs: (
                    runs["python"]["tail_us"],
                    runs["raw"]["tail_us"] + runs["python"]["decode_tail_us"],
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
                    runs["raw"]["all_ms"] + runs["python"]["decode_all_ms"],
                ),
                at_most=22 / 18,
            ),
        ],
    )
    window = Task(
        [
            Contestant("raw", program("raw_sqlite", "load", "{db}", "{data}", fill)),
            Contestant("ours", program("memex_bench", "window", "{db}", "{data}", fill, million)),
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
                lambda runs: (runs["ours"]["large_ms"], runs["ours"]["window_ms"]),
                at_most=1.2,
            ),
        ],
    )
    return [Task([raw, ours], [tail]), load, window]


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
            Row("size", "the library, stripped", "MB", "<= 20 MB", size, at_most=20, absolute=True),
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
