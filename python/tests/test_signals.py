"""Signals while a call waits for a lock of another process."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import memexllm
from memexllm import errors

TRANSACTION = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
sys.stdin.readline()
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
connection.execute("ROLLBACK")
sys.stdin.readline()
"""

LOCK = """
import fcntl, sys
file = open(sys.argv[1] + "-lock", "r+")
sys.stdin.readline()
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.readline()
fcntl.flock(file, fcntl.LOCK_UN)
sys.stdin.readline()
"""


class Holder:
    """A process that keeps writers out."""

    def __init__(self, code: str, file: Path) -> None:
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [sys.executable, "-c", code, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def take(self) -> None:
        self.let_go()
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "held\n"

    def let_go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(params=[TRANSACTION, LOCK], ids=["transaction", "lock"], name="holder")
def _holder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Holder]:
    with memexllm.open(f"sqlite:///{tmp_path}/chat.db") as store:
        store.threads.create(id="t")
    process = Holder(request.param, tmp_path / "chat.db")
    yield process
    process.end()


def send(number: signal.Signals, delay: float = 0.2) -> threading.Timer:
    timer = threading.Timer(delay, os.kill, (os.getpid(), number))
    timer.start()
    return timer


def test_ctrl_c_ends_the_wait(holder: Holder, tmp_path: Path) -> None:
    with memexllm.open(f"sqlite:///{tmp_path}/chat.db", timeout=600) as store:
        thread = store.threads.open("t")
        holder.take()
        for call in (
            lambda: thread.append("user", "never"),
            lambda: thread.append({"role": "user", "content": [], "name": "x"}),
            store.threads.create,
            lambda: thread.update(title="never"),
        ):
            timer = send(signal.SIGINT)
            with pytest.raises(KeyboardInterrupt):
                call()
            timer.join()
        holder.let_go()
        thread.append("user", "one")
        assert [body["content"] for body in thread.bodies()] == ["one"]
        assert thread.get().title is None
        assert [found.id for found in store.threads] == ["t"]


def test_ctrl_c_ends_the_wait_of_opening(tmp_path: Path) -> None:
    memexllm.open(f"sqlite:///{tmp_path}/chat.db").close()
    holder = Holder(LOCK, tmp_path / "chat.db")
    holder.take()
    timer = send(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        memexllm.open(f"sqlite:///{tmp_path}/chat.db", timeout=600)
    timer.join()
    holder.end()


def test_a_handler_that_returns_lets_the_call_go_on(holder: Holder, tmp_path: Path) -> None:
    seen: list[int] = []

    def handle(_number: int, _frame: object) -> None:
        seen.append(len(seen))
        if len(seen) == 3:
            holder.let_go()
        else:
            send(signal.SIGUSR1, 0.05)

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        with memexllm.open(f"sqlite:///{tmp_path}/chat.db", timeout=600) as store:
            thread = store.threads.open("t")
            holder.take()
            send(signal.SIGUSR1)
            assert thread.append("user", "one").seq == 1
            assert seen == [0, 1, 2]
            assert thread.count() == 1
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_follower_is_interrupted_too(holder: Holder, tmp_path: Path) -> None:
    with memexllm.open(f"sqlite:///{tmp_path}/chat.db", timeout=600) as store:
        thread = store.threads.open("t")
        holder.take()
        leader = threading.Thread(target=thread.append, args=("user", "of the leader"))
        leader.start()
        time.sleep(0.2)
        timer = send(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            thread.append("user", "never")
        timer.join()
        holder.let_go()
        leader.join()
        assert [body["content"] for body in thread.bodies()] == ["of the leader"]


def test_the_time_out_holds_however_many_signals_come(holder: Holder, tmp_path: Path) -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with memexllm.open(f"sqlite:///{tmp_path}/chat.db", timeout=1) as store:
            thread = store.threads.open("t")
            holder.take()
            timers = [send(signal.SIGUSR1, 0.2 * delay) for delay in range(1, 12)]
            with pytest.raises((errors.TimedOutError, errors.BusyError)):
                thread.append("user", "never")
            for timer in timers:
                timer.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
