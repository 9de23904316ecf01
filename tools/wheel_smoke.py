"""Run by tools/test_wheel.sh inside the environment where the wheel is installed.

wheel_smoke.py bundled only the wheel's copies of jansson and SQLite exist wheel_smoke.py beside the
interpreter's sqlite3 module is loaded and writes to the same file
"""

from __future__ import annotations

import ctypes
import importlib
import sys
from pathlib import Path
from typing import Any


def loaded(name: str) -> set[str]:
    """Paths of the shared libraries of that name in this process."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    paths = {line.split(maxsplit=5)[5] for line in lines if len(line.split(maxsplit=5)) == 6}
    return {path for path in paths if Path(path).name.startswith(name)}


def must(condition: bool, sentence: str) -> None:
    """Ends the process with a sentence."""
    if not condition:
        raise SystemExit(f"error: {sentence}")


def converse(memexllm: Any, url: str) -> None:
    """Stores a message and reads it back."""
    with memexllm.open(url) as store:
        thread = store.threads.create(title="smoke")
        thread.append("user", "Wo ist meine Bestellung? 📦")
        found = [message.content for message in thread.messages()]
        must(found == ["Wo ist meine Bestellung? 📦"], f"read back {found!r}")


def main(mode: str) -> None:
    """One mode."""
    sqlite3: Any = None
    if mode == "beside":
        sqlite3 = importlib.import_module("sqlite3")
    memexllm: Any = importlib.import_module("memexllm")
    package = Path(memexllm.__file__).parent
    fallback = package / "_native" / "libsqlite3.so.0"
    must(fallback.is_file(), "the wheel has no SQLite")

    if hasattr(memexllm, "open"):
        connection = sqlite3.connect("smoke.db") if sqlite3 else None
        if connection:
            connection.execute("CREATE TABLE mine (n INTEGER)")
            connection.commit()
        converse(memexllm, "sqlite:///smoke.db")
        if connection:
            connection.execute("INSERT INTO mine VALUES (1)")
            connection.commit()
            converse(memexllm, "sqlite:///smoke.db")
            (answer,) = connection.execute("PRAGMA integrity_check").fetchone()
            must(answer == "ok", f"the file is damaged: {answer}")
            connection.close()
    else:  # the package has no store yet: the mechanics of loading alone
        must(memexllm.native_version() > 0, "the library does not answer")
        if mode == "bundled":
            ctypes.CDLL(str(fallback))

    jansson, sqlite = loaded("libjansson"), loaded("libsqlite3")
    bundled = str(package.parent / "memexllm.libs")
    must(
        len(jansson) == 1 and all(path.startswith(bundled) for path in jansson),
        f"jansson was loaded from {jansson}, not from the wheel",
    )
    must(len(sqlite) == 1, f"{len(sqlite)} copies of SQLite were loaded: {sqlite}")
    if mode == "bundled":
        must(sqlite == {str(fallback)}, f"SQLite was loaded from {sqlite}, not from the wheel")
    else:
        must(sqlite != {str(fallback)}, "the wheel's SQLite was loaded beside the interpreter's")
    version = ".".join(map(str, sys.version_info[:3]))
    print(f"Python {version}, {mode}: {Path(*jansson).name}, {Path(*sqlite)}")


if __name__ == "__main__":
    main(sys.argv[1])
