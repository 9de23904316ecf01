"""Nothing that the library owns is left behind."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import gc
import resource
from collections.abc import Callable

import pytest

import memexllm
from memexllm import errors


def resident() -> int:
    """Memory of this process in KiB."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


def fails(thread: memexllm.Thread) -> None:
    with pytest.raises(errors.InvalidError):
        thread.append(b"{" + b" " * 4000)


def lists(thread: memexllm.Thread) -> None:
    next(iter(thread.store.threads.list()))


def leaves_a_transaction(thread: memexllm.Thread) -> None:
    work = thread.store.transaction()
    work.threads.create(metadata={"x": "y" * 4000})


USES: dict[str, Callable[[memexllm.Thread], object]] = {
    "bodies": lambda thread: thread.bodies(),
    "messages": lambda thread: next(iter(thread.messages(page_size=5))),
    "message": lambda thread: thread.message(1).metadata,
    "open": lambda thread: thread.store.threads.open(thread.id),
    "get": lambda thread: thread.get(),
    "context": lambda thread: thread.context(max_tokens=3000, strategy={"type": "fifo", "last": 3}),
    "command": lambda thread: thread.store.stats(),
    "session": lambda thread: thread.store.session(tenant="x"),
    "fails": fails,
    "lists": lists,
    "transaction": leaves_a_transaction,
}


@pytest.mark.parametrize("name", USES)
def test_memory_stays(name: str) -> None:
    use = USES[name]
    with memexllm.open("memory:") as store:
        thread = store.threads.create(metadata={"x": "y" * 4000})
        thread.append([{"role": "user", "content": "x" * 4000}] * 10, metadata={"a": "b" * 4000})
        for _ in range(300):
            use(thread)
        before = resident()
        for _ in range(2000):
            use(thread)
        # What is left behind each time would be 8 MB or more.
        assert resident() - before < 4000
