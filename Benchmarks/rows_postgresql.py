"""Rows of PostgreSQL, where the environment names a server (tools/services.sh env)."""

from __future__ import annotations

import os

from contestants import pair, program
from model import Contestant, Row, Setting, Task

URL = os.environ.get("MEMEX_TEST_POSTGRESQL", "")


def postgresql_tasks(setting: Setting) -> list[Task]:
    """Appends against libpq with the same statement; appends to a thread that has grown."""
    if not URL:
        return []
    count = setting.sizes.appends // 10

    def appends(kind: str) -> Contestant:
        shape = [URL, "{data}", count, 10, 20, kind]
        return Contestant(
            kind, program("postgresql_bench", "append", *shape), disk=True, pinned=False
        )

    return [
        Task(
            [appends("raw"), appends("ours")],
            [
                Row(
                    "append_postgresql",
                    "durable appends / libpq, the same statement",
                    "msg/s",
                    ">= 0.7",
                    pair("rate", "ours", "raw"),
                    at_least=0.7,
                ),
                Row(
                    "append_postgresql_cpu",
                    "client's CPU of an append / libpq, the same statement",
                    "us CPU",
                    "reported",
                    pair("cpu_us", "ours", "raw"),
                ),
            ],
            rounds=5,
        ),
        Task(
            [
                Contestant(
                    "ours",
                    program(
                        "postgresql_bench",
                        "growth",
                        URL,
                        "{data}",
                        setting.sizes.grown,
                        setting.sizes.blocks,
                    ),
                    pinned=False,
                )
            ],
            [
                Row(
                    "append_postgresql_growth",
                    f"PostgreSQL: append at {setting.sizes.grown:,} messages / at 0",
                    "us",
                    "<= 1.1",
                    lambda runs: (runs["ours"]["grown_us"], runs["ours"]["fresh_us"]),
                    at_most=1.1,
                )
            ],
            rounds=3,
        ),
    ]
