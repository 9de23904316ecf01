"""Rows of reading, of the memory store, and of the library itself."""

from __future__ import annotations

from contests import pair, peers, program
from model import Contestant, Pair, Row, Run, Setting, Task


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
