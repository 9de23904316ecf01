"""One child of `test_damage.py`: runs every operation on copies of damaged files.

    python damage.py FILE, and on standard input lines of JSON: [name, [statement, ...]]

Writes a line of JSON for each: [name, the operations' outcomes, the problems that check tells]. A
line that is missing says that the process was ended.
"""

# pylint: disable=missing-function-docstring

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import memexllm
from memexllm import Message, Store, Thread, errors


def third(thread: Thread) -> Message:
    return thread.message(3)


def transaction(store: Store, name: str) -> None:
    with store.transaction() as inside:
        thread = inside.threads.open(name)
        thread.append("user", "1")
        thread.append("user", "2")
        thread.message(1).delete()
        thread.update(title="in a transaction")


def documents(store: Store, **query: Any) -> list[str]:
    return [str(thread.get()) for thread in store.threads.list(**query)]


def on(call: Callable[[Thread], object]) -> Callable[[Store, str], object]:
    """An operation on an open thread."""
    return lambda store, name: call(store.threads.open(name))


OPERATIONS: dict[str, Callable[[Store, str], object]] = {
    "get": on(lambda thread: str(thread.get())),
    "list": lambda store, _: documents(store),
    "list by creation": lambda store, _: documents(
        store, order="created", descending=False, filter={"message_count": {"gte": 0}}
    ),
    "list a family": lambda store, name: documents(store, root=name),
    "list by metadata": lambda store, _: documents(store, metadata={"a": 1}),
    "read all": on(lambda thread: [str(m) for m in thread.messages(include_deleted=True)]),
    "read descending": on(lambda thread: list(thread.messages(descending=True, page_size=2))),
    "read first": on(lambda thread: list(thread.messages(limit=2))),
    "read last": on(lambda thread: list(thread.messages(last=2))),
    "read after": on(lambda thread: list(thread.messages(after_seq=1, limit=2))),
    "read before": on(lambda thread: list(thread.messages(before_seq=2**31 - 1, limit=2))),
    "message": on(lambda thread: (third(thread).id, third(thread).created_at)),
    "message by id": on(lambda thread: thread.message("x2").content),
    "count": on(lambda thread: thread.count()),
    "context": on(lambda thread: thread.context(1000).seqs),
    "append again": on(lambda thread: thread.append("user", "1", idempotency_key="k1")),
    "append": on(lambda thread: thread.append("user", "new").first_seq),
    "append several": on(lambda thread: thread.append([{"role": "user"}] * 3)),
    "update": on(lambda thread: thread.update(title="new", metadata={"b": 2})),
    "update if": on(lambda thread: thread.update(title="newer", if_version=1)),
    "replace": on(lambda thread: third(thread).replace({"role": "user"})),
    "metadata": on(lambda thread: third(thread).update_metadata({"a": 1})),
    "transaction": transaction,
    "fork": on(lambda thread: thread.fork().append("user", "in a fork")),
    "fork at": on(lambda thread: thread.fork(at_seq=2).count()),
    "delete": on(lambda thread: thread.message(2).delete()),
    "erase": on(lambda thread: thread.message(4).delete(erase=True)),
    "delete thread": lambda store, name: store.threads.delete(name),
    "erase thread": lambda store, name: store.threads.delete(name, erase=True),
    "create": lambda store, _: store.threads.create().append("user", "new"),
    "stats": lambda store, _: store.stats(),
    "maintain": lambda store, _: store.command("maintain"),
}


def attempt(call: Callable[[], object]) -> str:
    """The name of the error, "" for none; "!" in front of what no program may see."""
    try:
        call()
    except errors.InternalError as error:
        return f"!{error}"
    except errors.MemexError as error:
        return type(error).__name__
    except Exception as error:  # pylint: disable=broad-exception-caught
        return f"!{type(error).__name__}: {error}"
    return ""


def reset(file: Path, content: bytes) -> None:
    for suffix in ("-wal", "-shm", "-lock"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    file.write_bytes(content)


def check(file: Path) -> list[str]:
    with memexllm.open(f"sqlite:///{file}") as store:
        return list(store.command("check")["problems"])


def run(file: Path, original: bytes, statements: list[str]) -> tuple[dict[str, str], list[str]]:
    reset(file, original)
    connection = sqlite3.connect(file, isolation_level=None)
    for statement in statements:
        try:
            connection.execute(statement)
        except sqlite3.IntegrityError:
            pass  # SQLite itself keeps such a value out.
    connection.close()
    damaged = file.read_bytes()
    outcomes, problems = {}, check(file)
    for thread in ("t", "f"):
        reset(file, damaged)
        with memexllm.open(f"sqlite:///{file}") as store:
            for name, call in OPERATIONS.items():
                outcomes[f"{name} {thread}"] = attempt(partial(call, store, thread))
        outcomes[f"check {thread}"] = attempt(partial(check, file))
    return outcomes, problems


def main() -> None:
    file = Path(sys.argv[1])
    original = file.read_bytes()
    for line in sys.stdin:
        name, statements = json.loads(line)
        print(json.dumps([name, *run(file, original, statements)]), flush=True)


if __name__ == "__main__":
    main()
