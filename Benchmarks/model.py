"""What a benchmark consists of: contestants that take turns, rows that come of it."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
OUT = ROOT / "build" / "bench"

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
