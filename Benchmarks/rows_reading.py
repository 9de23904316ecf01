"""Rows of reading: tails, whole threads, windows."""

from __future__ import annotations

from contestants import pair, peers, program
from model import Contestant, Row, Setting, Task


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
