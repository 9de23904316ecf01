"""Imports run one way: MemexABI -> Conformance -> Memex -> {engines, Context, Tokens} -> Storage ->
Model.

Reads the import lines of Sources/. Siblings never import each other (Context may use Tokens), the
header is imported by the boundary alone, and Foundation, Dispatch and Swift concurrency by nobody.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What each target may import of ours. A new folder under Sources/ needs a row.
ALLOWED: dict[str, set[str]] = {
    "MemexModel": {"CJansson", "CMemexShim"},
    "MemexStorage": {"MemexModel", "CMemexShim"},
    "MemexSQLite": {"MemexStorage", "MemexModel", "CMemexShim"},
    "MemexLMDB": {"MemexStorage", "MemexModel", "CMemexShim"},
    "MemexFile": {"MemexStorage", "MemexModel", "CMemexShim"},
    "MemexPostgreSQL": {"MemexStorage", "MemexModel", "CMemexShim"},
    "MemexRedis": {"MemexStorage", "MemexModel", "CMemexShim"},
    "MemexTokens": {"MemexModel", "CMemexShim", "CMemexVocabularies"},
    "MemexContext": {"MemexStorage", "MemexTokens", "MemexModel"},
    "Memex": {
        "MemexContext",
        "MemexTokens",
        "MemexSQLite",
        "MemexLMDB",
        "MemexFile",
        "MemexPostgreSQL",
        "MemexRedis",
        "MemexStorage",
        "MemexModel",
        "CMemexShim",
    },
    "MemexConformance": {"Memex", "MemexStorage", "MemexModel"},
    "MemexABI": {
        "MemexConformance",
        "Memex",
        "MemexStorage",
        "MemexContext",
        "MemexTokens",
        "MemexModel",
        "CMemex",
        "CMemexShim",
    },
    "MemexLibrary": {"MemexABI"},
}
# Folders without Swift: module maps, and the little C there is.
NOT_SWIFT = {"CJansson", "CMemexShim", "CMemexVocabularies"}
SYSTEM = {"Glibc", "Musl", "Darwin", "Synchronization"}
# Why, for whoever meets the error.
FORBIDDEN = {
    "Foundation": "it makes the library 7 to 52 MB larger",
    "FoundationEssentials": "it makes the library 7 MB larger",
    "Dispatch": "after one use a forked child hangs and an unload crashes",
    "_Concurrency": "after one use a forked child hangs and an unload crashes",
}

_IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?"
    r"import\s+(?:(?:struct|class|enum|protocol|typealias|func|let|var)\s+)?(\w+)"
)
# Swift concurrency needs no import line.
_CONCURRENCY = re.compile(
    r"\basync\s+(?:throws|->|let\b|\{)|\bawait\b|\bTask\s*[.({<]|\bTask\.detached\b|@MainActor\b"
    r"|^\s*(?:(?:public|package|internal|private|final|distributed)\s+)*actor\s+\w+"
)


def code_of(text: str) -> list[str]:
    """The lines without comments and without the contents of strings."""
    text = re.sub(r"/\*.*?\*/", lambda match: "\n" * match[0].count("\n"), text, flags=re.DOTALL)
    text = re.sub(r'"""(.*?)"""', lambda match: "\n" * match[0].count("\n"), text, flags=re.DOTALL)
    text = re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)
    return [line.split("//")[0] for line in text.splitlines()]


def problems(sources: Path) -> list[str]:
    """What is wrong, one sentence each."""
    found = []
    for folder in sorted(path for path in sources.iterdir() if path.is_dir()):
        if folder.name in NOT_SWIFT:
            continue
        if folder.name not in ALLOWED:
            found.append(f"Sources/{folder.name} has no row in tools/check_imports.py")
            continue
        for file in sorted(folder.rglob("*.swift")):
            name = file.relative_to(sources.parent)
            for number, line in enumerate(code_of(file.read_text(encoding="utf-8")), 1):
                where = f"{name}:{number}"
                if _CONCURRENCY.search(line):
                    found.append(f"{where}: Swift concurrency: {FORBIDDEN['_Concurrency']}")
                match = _IMPORT.match(line)
                if not match or match[1] in SYSTEM or match[1] in ALLOWED[folder.name]:
                    continue
                reason = FORBIDDEN.get(match[1], f"{folder.name} must not use it")
                found.append(f"{where}: imports {match[1]}: {reason}")
    return found


def main() -> int:
    """Prints the problems; the exit status."""
    sources = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Sources"
    found = problems(sources)
    for problem in found:
        print(problem, file=sys.stderr)
    if not found:
        files = len(list(sources.rglob("*.swift")))
        print(f"imports run one way in {files} files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
