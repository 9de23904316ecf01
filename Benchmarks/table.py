"""Results for people, as wide as the terminal allows."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import time
from typing import Optional

from model import Result


class Progress:
    """A line that says what runs, on a terminal."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self.started = time.monotonic()

    def show(self, text: str) -> None:
        """Replaces the line."""
        if not self.live:
            return
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        line = f"{minutes}:{seconds:02}  {text}"
        sys.stderr.write("\r\x1b[K" + line[: shutil.get_terminal_size().columns - 1])
        sys.stderr.flush()

    def clear(self) -> None:
        """Removes the line."""
        if self.live:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def shown(number: Optional[float]) -> str:
    """A figure with three digits that matter."""
    if number is None:
        return "-"
    if number == int(number) and abs(number) < 1e6:
        return f"{number:,.0f}"
    size = abs(number)
    return f"{number:,.0f}" if size >= 1000 else f"{number:.3g}" if size < 100 else f"{number:.0f}"


class Table:
    """Rows for people, as wide as the terminal allows."""

    heads = ("name", "what", "ours", "reference", "ratio", "target", "")
    # ours, reference, ratio, target, verdict
    widths = (10, 10, 6, 22, 7)

    def __init__(self) -> None:
        self.width = max(60, min(shutil.get_terminal_size((120, 24)).columns, 170))
        self.colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self.name = 28
        self.what = self.width - self.name - sum(self.widths) - 6 * 2
        self.narrow = self.what < 16

    def paint(self, text: str, code: str) -> str:
        """Text in a colour, on a terminal."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour else text

    def line(self, cells: tuple[str, ...], colour: str = "") -> None:
        """One row; what is too long continues below."""
        name, what, *rest = cells
        figures = [f"{c:>{w}}" for c, w in zip(rest[:3], self.widths)]
        figures.append(f"{rest[3]:<{self.widths[3]}}")
        verdict = f"{rest[4]:<{self.widths[4]}}".rstrip()
        if self.narrow:
            print(f"{name}  {self.paint(verdict, colour) if colour else verdict}")
            for part in textwrap.wrap(what, self.width - 2):
                print(f"  {part}")
            print(f"  {' '.join(word.strip() for word in figures)}")
            return
        parts = textwrap.wrap(what, self.what) or [""]
        first = [f"{name:<{self.name}}", f"{parts[0]:<{self.what}}", *figures]
        print("  ".join(first) + "  " + (self.paint(verdict, colour) if colour else verdict))
        for part in parts[1:]:
            print(" " * (self.name + 2) + part)

    def head(self) -> None:
        """The names of the columns."""
        self.line(self.heads)
        print("-" * self.width)

    def result(self, result: Result, judged: bool) -> None:
        """A measured row."""
        row = result.row
        if result.failure:
            self.line((row.name, result.failure, "-", "-", "-", row.target, "FAILED"), "31")
            return
        met = result.met() if judged else None
        verdict = {None: "", True: "met", False: "MISSED"}[met]
        what = f"{row.what} [{row.unit}]"
        if result.spread and not row.absolute:
            what += f" ({result.spread[0]:.2f}-{result.spread[1]:.2f})"
        if result.note:
            what += f"; {result.note}"
        ratio = "-" if result.ratio is None else f"{result.ratio:.2f}"
        cells = (row.name, what, shown(result.ours), shown(result.reference), ratio, row.target)
        self.line((*cells, verdict), {None: "", True: "32", False: "33"}[met])
