#!/usr/bin/env python3
"""Counts the tokens of files and folders.

    count_tokens.py README.md docs             as gpt-4o counts
    count_tokens.py --model gpt-4 --top 20 src
    count_tokens.py --encoding o200k_base --json notes.txt > counts.json
    git diff | count_tokens.py -

Shows progress on a terminal, then the files with the most tokens and the sum. What is no text (it
holds a NUL), what is hidden and what cannot be read is skipped and counted as such.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "python" / "src"))

# pylint: disable-next=wrong-import-position
from memexllm import MemexError, tokens  # noqa: E402

# Files that are counted in one call, and bytes after which a call is due all the same.
FILES = 256
BYTES = 8_000_000
SKIPPED = {".git", ".venv", "node_modules", "__pycache__"}


@dataclass
class Counted:
    """One file."""

    name: str
    bytes: int
    tokens: int


@dataclass
class Counts:
    """What was found."""

    files: list[Counted] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        """Of all files."""
        return sum(file.tokens for file in self.files)

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(file.bytes for file in self.files)


class Progress:
    """One line on a terminal that says how far it is; nothing elsewhere."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._due = 0.0

    def show(self, counts: Counts) -> None:
        """At most ten times a second."""
        if not self._is_shown or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + 0.1
        line = (
            f"{len(counts.files):,} files, {counts.bytes / 1e6:,.1f} MB, {counts.tokens:,} tokens"
        )
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Takes the line away."""
        if self._is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def walk(paths: Iterable[str]) -> Iterator[Path]:
    """The files of files and folders, in order, without what is hidden."""
    for path in map(Path, paths):
        if not path.is_dir():
            yield path
            continue
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(
                name for name in folders if name not in SKIPPED and not name.startswith(".")
            )
            for name in sorted(files):
                if not name.startswith("."):
                    yield Path(folder) / name


def read(path: Path) -> bytes | None:
    """The bytes of a text, None for what is none or cannot be read."""
    try:
        data = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError:
        return None
    return None if b"\0" in data[:8192] else data


def count(paths: Iterable[str], tokenizer: tokens.Tokenizer, progress: Progress) -> Counts:
    """Counts the files, many in one call."""
    counts = Counts()
    waiting: list[tuple[str, str, int]] = []
    size = 0

    def flush() -> None:
        nonlocal size
        numbers = tokenizer.count_batch(text for _, text, _ in waiting)
        for (name, _, length), number in zip(waiting, numbers):
            counts.files.append(Counted(name, length, number))
        waiting.clear()
        size = 0
        progress.show(counts)

    for path in walk(paths):
        data = read(path)
        if data is None:
            counts.skipped.append(str(path))
            continue
        waiting.append((str(path), data.decode("utf-8", "replace"), len(data)))
        size += len(data)
        if len(waiting) >= FILES or size >= BYTES:
            flush()
    flush()
    progress.clear()
    return counts


def bar(share: float, width: int = 20) -> str:
    """A share as a bar."""
    eighths = round(share * width * 8)
    part = " ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else ""
    return ("█" * (eighths // 8) + part).ljust(width)


def table(counts: Counts, top: int, name: str) -> str:
    """The files with the most tokens, and the sum."""
    shown = sorted(counts.files, key=lambda file: (-file.tokens, file.name))[:top]
    rest = len(counts.files) - len(shown)
    total = counts.tokens or 1
    rows = [(file.name, file.tokens, file.bytes) for file in shown]
    if rest:
        others = counts.tokens - sum(file.tokens for file in shown)
        rows.append((f"… {rest:,} more", others, counts.bytes - sum(f.bytes for f in shown)))
    label = f"{len(counts.files):,} files, {name}"
    width = min(60, max([len(row[0]) for row in rows] + [len(label), 4]))
    line = "─" * (width + 52)
    lines = [f"{'file':<{width}}  {'tokens':>12}  {'bytes':>14}", line]
    for text, number, size in rows:
        text = text if len(text) <= width else "…" + text[1 - width :]
        lines.append(f"{text:<{width}}  {number:>12,}  {size:>14,}  {bar(number / total)}".rstrip())
    lines += [line, f"{label:<{width}}  {counts.tokens:>12,}  {counts.bytes:>14,}"]
    if counts.skipped:
        lines.append(f"{len(counts.skipped):,} skipped: no text, or not readable")
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, a folder, - for input")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model", help="as this model counts (default: gpt-4o)")
    which.add_argument("--encoding", help=f"one of {', '.join(tokens.BUILT_IN)}")
    parser.add_argument("--top", type=int, default=10, metavar="N", help="files that are listed")
    parser.add_argument("--json", action="store_true", help="everything, as JSON")
    return parser.parse_args()


def main() -> int:
    """The exit status: 1 when there is nothing to count."""
    asked = arguments()
    model = asked.model or (None if asked.encoding else "gpt-4o")
    try:
        tokenizer = tokens.Tokenizer(model=model, encoding=asked.encoding)
    except MemexError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    progress = Progress()
    try:
        counts = count(asked.paths, tokenizer, progress)
    except KeyboardInterrupt:
        progress.clear()
        print("interrupted", file=sys.stderr)
        return 130
    if asked.json:
        document = {"encoding": tokenizer.name, "tokens": counts.tokens, **asdict(counts)}
        print(json.dumps(document, ensure_ascii=False, indent=1))
    elif counts.files:
        print(table(counts, asked.top, tokenizer.name))
    if not counts.files:
        print("error: there is no text to count", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
