"""Storage of memexllm 0.1 by its names.

There a storage kept whole threads; here a store keeps messages, and memexllm.open opens it. These
functions open one, so that ``with_history(storage=SQLiteStorage("chat.db"))`` works as it did.
Files that 0.1 wrote have another format and are not read. A storage of your own is a
memexllm.StorageBackend.
"""

from __future__ import annotations

import os
from urllib.parse import quote

from .store import Store, open  # pylint: disable=redefined-builtin


def MemoryStorage() -> Store:  # pylint: disable=invalid-name
    """A private store in memory."""
    return open("memory:")


def SQLiteStorage(db_path: str = "memexllm.db") -> Store:  # pylint: disable=invalid-name
    """A store in a SQLite file; ``:memory:`` for one that is nowhere else."""
    if db_path == ":memory:":
        return open("sqlite::memory:")
    return open("sqlite:///" + quote(os.path.abspath(db_path)))


__all__ = ["MemoryStorage", "SQLiteStorage"]
