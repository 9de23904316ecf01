"""Rows of the memory store and of the library itself."""

from __future__ import annotations

from contestants import peers, program
from model import Contestant, Pair, Row, Run, Setting, Task


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
