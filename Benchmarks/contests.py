"""Commands of contestants, and the figures that rows take from their runs."""

from __future__ import annotations

import sys
from typing import Callable

from model import HERE, OUT, Pair, Run


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
