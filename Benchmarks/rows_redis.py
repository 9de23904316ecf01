"""Rows of Redis, where the environment names a server (tools/services.sh env)."""

from __future__ import annotations

import os

from contestants import pair, program
from model import Contestant, Row, Setting, Task

URL = os.environ.get("MEMEX_TEST_REDIS", "")


def redis_tasks(setting: Setting) -> list[Task]:
    """Appends against hiredis with the same script; appends to a thread that has grown."""
    if not URL:
        return []
    place = URL.removeprefix("redis://").split("/", maxsplit=1)[0].split(":")
    count = setting.sizes.appends // 10

    def appends(kind: str) -> Contestant:
        shape = [*place, "{data}", count, 10, 20, kind]
        return Contestant(kind, program("redis_bench", "append", *shape), pinned=False)

    return [
        Task(
            [appends("raw"), appends("ours")],
            [
                Row(
                    "append_redis",
                    "appends / hiredis, the same script",
                    "msg/s",
                    ">= 0.7",
                    pair("rate", "ours", "raw"),
                    at_least=0.7,
                ),
                Row(
                    "append_redis_cpu",
                    "client's CPU of an append / hiredis, the same script",
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
                        "redis_bench",
                        "growth",
                        *place,
                        "{data}",
                        setting.sizes.grown,
                        setting.sizes.blocks,
                    ),
                    pinned=False,
                )
            ],
            [
                Row(
                    "append_redis_growth",
                    f"Redis: append at {setting.sizes.grown:,} messages / at 0",
                    "us",
                    "<= 1.1",
                    lambda runs: (runs["ours"]["grown_us"], runs["ours"]["fresh_us"]),
                    at_most=1.1,
                )
            ],
            rounds=3,
        ),
    ]
