"""All rows: who competes, what is compared, which target there is. README.md explains them."""

from __future__ import annotations

from model import Setting, Task
from rows_append import append_tasks, python_tasks
from rows_concurrent import concurrency_tasks
from rows_engines import engine_tasks, file_tasks
from rows_memory import memory_tasks
from rows_postgresql import postgresql_tasks
from rows_reading import reading_tasks
from rows_redis import redis_tasks
from rows_tokens import token_tasks


def all_tasks(setting: Setting) -> list[Task]:
    """Everything, in the order of the table."""
    return [
        *append_tasks(setting),
        *python_tasks(setting),
        *concurrency_tasks(setting),
        *reading_tasks(setting),
        *memory_tasks(setting),
        *engine_tasks(setting, "lmdb", "raw C LMDB"),
        *engine_tasks(setting, "file", "write and fdatasync in C"),
        *file_tasks(setting),
        *postgresql_tasks(setting),
        *redis_tasks(setting),
        *token_tasks(setting),
    ]
