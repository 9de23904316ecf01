"""Writers that go on while something happens to their server, and what must be true afterwards."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import memexllm
from memexllm import errors

# A program that appends its second argument to a thread until it is killed, and prints the seqs.
ENDLESS_WRITER = """
import sys, memexllm
with memexllm.open(sys.argv[1]) as store:
    thread = store.threads.open('shared')
    while True: print(thread.append('user', sys.argv[2]).seq, flush=True)
"""


class Writer(threading.Thread):
    """Appends numbers under keys of their own, each until it is acknowledged."""

    def __init__(self, url: str, thread_id: str, name: str) -> None:
        super().__init__(daemon=True)
        self.url, self.thread_id, self.writer = url, thread_id, name
        self.done = threading.Event()
        self.acknowledged: list[tuple[int, str]] = []
        self.unknown = 0
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            with memexllm.open(self.url, timeout=20) as store:
                thread = store.threads.open(self.thread_id)
                number = 0
                while not self.done.is_set():
                    self.append(thread, f"{self.writer} {number}")
                    number += 1
        except BaseException as failure:  # pylint: disable=broad-exception-caught
            self.failure = failure

    def append(self, thread: memexllm.Thread, text: str) -> None:
        give_up = time.monotonic() + 60
        while True:
            try:
                receipt = thread.append("user", text, idempotency_key=text)
                self.acknowledged.append((receipt.seq, text))
                return
            except (
                errors.OutcomeUnknownError,
                errors.UnavailableError,
                errors.BusyError,
                errors.TimedOutError,
            ) as error:
                self.unknown += isinstance(error, errors.OutcomeUnknownError)
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.01)


def check_stored(url: str, writers: list[Writer], thread_ids: list[str]) -> int:
    """Nothing acknowledged is lost, nothing is there twice."""
    for writer in writers:
        writer.done.set()
    for writer in writers:
        writer.join(90)
        assert not writer.is_alive() and writer.failure is None, writer.failure
    total = 0
    with memexllm.open(url) as store:
        for thread_id in thread_ids:
            messages = list(store.threads.open(thread_id).messages())
            stored = {message.seq: message.content for message in messages}
            assert sorted(stored) == list(range(1, len(messages) + 1))
            assert len(set(stored.values())) == len(stored), "a message is there twice"
            for writer in writers:
                if writer.thread_id == thread_id:
                    assert all(stored.get(seq) == text for seq, text in writer.acknowledged)
            total += len(messages)
        assert store.command("check") == {"ok": True, "problems": []}
    assert total >= sum(len(writer.acknowledged) for writer in writers)
    return total


def write_during(url: str, work: Callable[[], None]) -> list[Writer]:
    """Four writers, two a thread, while something happens to their server."""
    names = ["a", "b"]
    with memexllm.open(url) as store:
        for name in names:
            store.threads.create(id=name)
    writers = [Writer(url, names[number % 2], f"w{number}") for number in range(4)]
    for writer in writers:
        writer.start()
    work()
    check_stored(url, writers, names)
    return writers
