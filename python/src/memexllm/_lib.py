"""Finds and loads libmemex: once, when the package is imported."""

from __future__ import annotations

import os
from ctypes import CDLL

from ._ffi import MEMEX_ABI_VERSION, bind

TYPE_CHECKING = False  # for what typing costs, see __init__
if TYPE_CHECKING:
    from ._ffi import Library

NAME = "libmemex.so.0"
_HERE = os.path.dirname(os.path.abspath(__file__))


def candidates() -> list[str]:
    """Where the library may be, best first.

    MEMEX_LIBRARY alone, if it is set. Else the copy in the wheel, the one that `make build` made
    in a checkout, and last whatever the system's loader finds.
    """
    named = os.environ.get("MEMEX_LIBRARY")
    if named:
        return [named]
    files = [
        os.path.join(_HERE, "_native", NAME),
        os.path.join(_HERE, "..", "..", "..", "dist", NAME),
    ]
    return [os.path.normpath(file) for file in files if os.path.exists(file)] + [NAME]


def load() -> Library:
    """Loads the library and checks that it is the one this package was written for.

    Raises:
        ImportError: There is none, or one with another interface; the message says what to do.
    """
    tried = []
    for path in candidates():
        try:
            library = bind(CDLL(path))
        except (OSError, AttributeError) as error:
            tried.append(f"  {path}: {error}")
            continue
        if library.memex_check_abi(MEMEX_ABI_VERSION) == 0:
            return library
        tried.append(f"  {path}: it has no version {MEMEX_ABI_VERSION} of the binary interface")
    reasons = "\n".join(tried)
    raise ImportError(
        f"memexllm could not load its native library:\n{reasons}\n"
        "Install a wheel (pip install memexllm), or build the library in a checkout (make build), "
        "or set MEMEX_LIBRARY to the path of libmemex.so.0."
    )


def share_sqlite() -> None:
    """Lets the library share the interpreter's copy of SQLite, if there is one.

    Two copies in one process drop each other's file locks, so the one that the sqlite3 module
    uses has to be in the process before the library looks for its own.
    """
    try:
        import _sqlite3  # noqa: F401  pylint: disable=import-outside-toplevel,unused-import
    except ImportError:
        pass


lib = load()
