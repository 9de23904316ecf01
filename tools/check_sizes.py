"""No source file is longer than 400 lines: beyond that it has more than one responsibility.

    python3 tools/check_sizes.py [FOLDER]

80 to 250 lines are the aim. A file that must be longer gets a row in ALLOWED, with the reason.
"""

from __future__ import annotations

import sys
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

LIMIT = 400
FOLDERS = ("Sources", "Tests", "include", "bindings", "python", "examples", "Benchmarks", "tools")
SUFFIXES = {".swift", ".c", ".cpp", ".h", ".hpp", ".py", ".sh"}
BUILT = {"build", "dist", ".build", ".venv", "__pycache__"}

# Paths or patterns, and why the file may be longer.
ALLOWED: dict[str, str] = {
    "include/memex.h": "the contract is read, copied and included as one file",
    "python/src/memexllm/_ffi.py": "generated from the header",
    "Tests/C/misuse_matrix.c": "generated from the header",
}


def sizes(root: Path) -> dict[str, int]:
    """The lines of every source file, by its path below the root."""
    found = {}
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root)
            if path.suffix in SUFFIXES and path.is_file() and not BUILT.intersection(name.parts):
                found[name.as_posix()] = path.read_bytes().count(b"\n")
    return found


def problems(root: Path, allowed: dict[str, str]) -> list[str]:
    """What is wrong, one sentence each."""
    long = {name: lines for name, lines in sizes(root).items() if lines > LIMIT}
    found = [
        f"{name}: {lines} lines, more than {LIMIT}: give each responsibility a file of its own,"
        " or tools/check_sizes.py the reason"
        for name, lines in long.items()
        if not any(fnmatch(name, pattern) for pattern in allowed)
    ]
    for pattern in allowed:
        if not any(fnmatch(name, pattern) for name in long):
            found.append(
                f"{pattern}: allowed to be longer, and is not: remove it from tools/check_sizes.py"
            )
    return found


def main() -> int:
    """Prints the problems; the exit status."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT
    found = problems(root, ALLOWED)
    for problem in found:
        print(problem, file=sys.stderr)
    if not found:
        lines = sizes(root)
        print(f"{len(lines)} files, {len(ALLOWED)} of them longer than {LIMIT} lines for a reason")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
