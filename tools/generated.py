"""Writing generated files, and checking that the committed ones are fresh."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

from header import ROOT


def write_or_check(files: dict[Path, str], arguments: list[str]) -> int:
    """Writes the files, or with --check compares them; the exit status."""
    if arguments not in ([], ["--check"]):
        print(f"usage: {Path(sys.argv[0]).name} [--check]", file=sys.stderr)
        return 2
    stale = 0
    for path, text in files.items():
        name = path.relative_to(ROOT)
        present = path.read_text(encoding="utf-8") if path.exists() else ""
        if present == text:
            continue
        if arguments:
            stale = 1
            difference = difflib.unified_diff(
                present.splitlines(), text.splitlines(), "committed", "generated", lineterm="", n=0
            )
            print(f"{name} is not fresh: run tools/{Path(sys.argv[0]).name}", file=sys.stderr)
            print("\n".join(list(difference)[:20]), file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    return stale
