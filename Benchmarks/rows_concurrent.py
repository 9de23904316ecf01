"""Rows of many writers."""

from __future__ import annotations

from contestants import pair, peers, per, program
from model import Contestant, Pair, Row, Run, Setting, Task


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
