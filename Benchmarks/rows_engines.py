"""Rows of the other engines that store in files."""

from __future__ import annotations

import data
from contestants import program, speed
from model import Contestant, Row, Setting, Task


def file_tasks(setting: Setting) -> list[Task]:
    """On a disk, where most of an append is the sync's; engine_tasks has the rest alone."""
    shape: list[object] = ["{data}", setting.sizes.appends // 10, data.THREADS, 200]
    json = program("memex_bench", "append", "file:///{db}", *shape, 1, "json")
    return [
        Task(
            [
                Contestant("raw", program("raw_file", "append", "{db}", *shape, 1), disk=True),
                Contestant("json", json, disk=True),
            ],
            [
                Row(
                    "append_file_disk",
                    "append JSON to file: on a disk / write and fdatasync in C",
                    "msg/s CPU",
                    ">= 0.7",
                    speed("json", "raw"),
                    at_least=0.7,
                )
            ],
        )
    ]


def engine_tasks(setting: Setting, engine: str, reference: str) -> list[Task]:
    """An engine in files against the least that does the same work in C."""
    sizes, url = setting.sizes, f"{engine}:///{{db}}"
    shape: list[object] = ["{data}", sizes.appends, data.THREADS, 200]
    grown: list[object] = ["{data}", sizes.grown, sizes.blocks]
    writers: list[object] = ["{data}", 8, sizes.each, "own"]
    raw = f"raw_{engine}"
    return [
        Task(
            [
                Contestant("raw", program(raw, "append", "{db}", *shape, 1)),
                Contestant("json", program("memex_bench", "append", url, *shape, 1, "json")),
            ],
            [
                Row(
                    f"append_{engine}",
                    f"append JSON to {engine}: / {reference}",
                    "msg/s CPU",
                    ">= 0.7",
                    speed("json", "raw"),
                    at_least=0.7,
                )
            ],
        ),
        Task(
            [
                Contestant("raw", program(raw, "growth", "{db}", *grown)),
                Contestant("ours", program("memex_bench", "growth", url, *grown)),
            ],
            [
                Row(
                    f"append_{engine}_growth",
                    f"append to {engine}: at {sizes.grown:,} messages / at 0",
                    "us CPU",
                    "<= 1.1",
                    lambda runs: (runs["ours"]["grown_us"], runs["ours"]["fresh_us"]),
                    at_most=1.1,
                    note=lambda runs: "raw: "
                    f"{runs['raw']['grown_us'] / runs['raw']['fresh_us']:.2f}",
                )
            ],
        ),
        Task(
            [
                Contestant(
                    "ours",
                    program("memex_bench", "concurrent", url, *writers),
                    disk=True,
                    pinned=False,
                )
            ],
            [
                Row(
                    f"append_{engine}_per_sync",
                    f"messages a commit of {engine}:, 8 writer threads",
                    "msg/commit",
                    ">= 6",
                    lambda runs: (runs["ours"]["n"] / runs["ours"]["commits"], None),
                    at_least=6,
                    absolute=True,
                    note=lambda runs: f"{runs['ours']['rate']:,.0f} msg/s",
                )
            ],
        ),
    ]
