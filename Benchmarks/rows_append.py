"""Rows of appends: one writer, from C and from Python."""

from __future__ import annotations

import data
from contestants import pair, peers, per, program, speed
from model import Contestant, Row, Setting, Task


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
