"""PostgreSQL: what calls wait for, and how a wait ends."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time

import pytest
from postgresql_server import REASON, URL, psql

import memexllm
from memexllm import errors

pytestmark = pytest.mark.skipif(not URL, reason=REASON)


@pytest.fixture
def url(schema: str) -> str:
    return f"{URL}?schema={schema}"


class Locked:  # pylint: disable=too-few-public-methods
    """Holds the row of a thread in another transaction."""

    def __init__(self, schema: str, seconds: float, which: str = "true") -> None:
        rows = f"SELECT 1 FROM {schema}.threads WHERE {which} FOR UPDATE"
        statement = f"BEGIN; {rows}; SELECT 'locked', pg_sleep(0)"
        command = ["psql", "-X", "-q", "-A", "-t", "-d", URL, "-c", statement + ";", "-c",
                   f"SELECT pg_sleep({seconds})", "-c", "COMMIT"]  # fmt: skip
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        while "locked" not in self.process.stdout.readline():
            pass

    def wait(self) -> None:
        self.process.communicate(timeout=60)


@pytest.mark.parametrize("extra", ["", "&prepared=false"])
def test_waiting_for_a_lock_ends_at_the_deadline(url: str, schema: str, extra: str) -> None:
    with memexllm.open(url + extra, timeout=0.4) as store:
        thread = store.threads.create()
        thread.append("user", "warm")
        lock = Locked(schema, 2)
        began = time.monotonic()
        with pytest.raises(errors.TimedOutError, match="nothing was stored"):
            thread.append("user", "waits")
        took = time.monotonic() - began
        assert 0.3 < took < 0.5, f"within 100 ms of the deadline, and it took {took:.3f} s"
        with pytest.raises(errors.TimedOutError):
            thread.update(title="waits")
        lock.wait()
        thread.append("user", "goes on")
        assert [message.content for message in thread.messages()] == ["warm", "goes on"]


def test_a_thread_that_is_held_holds_up_no_other(url: str, schema: str) -> None:
    with memexllm.open(url) as store:
        held = store.threads.create(id="held")
        free = [store.threads.create() for _ in range(4)]
        lock = Locked(schema, 3, "id = 'held'")
        waiting = [
            threading.Thread(target=lambda n=n: held.append("user", f"{n}")) for n in range(3)
        ]
        for worker in waiting:
            worker.start()
        time.sleep(0.3)
        began = time.monotonic()
        for number in range(20):
            for thread in free:
                thread.append("user", str(number))
        assert time.monotonic() - began < 2 and held.count() == 0
        lock.wait()
        for worker in waiting:
            worker.join(20)
        assert held.count() == 3


def test_an_interruption_ends_the_wait_and_stores_nothing(url: str, schema: str) -> None:
    with memexllm.open(url) as store:
        thread = store.threads.create()
        thread.append("user", "warm")
        lock = Locked(schema, 3)
        found: list[BaseException] = []

        def append() -> None:
            try:
                thread.append("user", "interrupted")
            except errors.MemexError as error:
                found.append(error)

        worker = threading.Thread(target=append)
        began = time.monotonic()
        worker.start()
        time.sleep(0.3)
        store.interrupt()
        worker.join(20)
        assert time.monotonic() - began < 2.5
        assert [type(error) for error in found] == [errors.CancelledError]
        lock.wait()
        assert [message.content for message in thread.messages()] == ["warm"]


def test_a_signal_ends_the_wait_and_stores_nothing(url: str, schema: str) -> None:
    class Alarm(Exception):
        """What the handler raises."""

    def ring(_number: int, _frame: object) -> None:
        raise Alarm

    with memexllm.open(url) as store:
        thread = store.threads.create()
        thread.append("user", "warm")
        lock = Locked(schema, 3)
        before = signal.signal(signal.SIGALRM, ring)
        began = time.monotonic()
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(Alarm):
                thread.append("user", "interrupted")
        finally:
            signal.signal(signal.SIGALRM, before)
        assert time.monotonic() - began < 2
        lock.wait()
        assert [message.content for message in thread.messages()] == ["warm"]


def test_a_full_pool_says_so(url: str, schema: str) -> None:
    with memexllm.open(url + "&pool_size=1&pool_wait_us=200000") as store:
        thread = store.threads.create()
        lock = Locked(schema, 1.5)
        worker = threading.Thread(target=lambda: thread.append("user", "waits"))
        worker.start()
        time.sleep(0.3)
        with pytest.raises(errors.BusyError, match="pool_size"):
            thread.count()
        worker.join(30)
        lock.wait()
        assert thread.count() == 1
        assert store.command("stats")["connections"] == 1


def test_sessions_that_the_server_ended_are_replaced(url: str, schema: str) -> None:
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'memex' AND query LIKE '%" + schema + "%'"
    )
    with memexllm.open(url) as store:
        thread = store.threads.create()
        for number in range(5):
            thread.append("user", str(number))
            assert thread.count() == number + 1
            assert psql(URL, end)
        assert thread.count() == 5


def test_a_child_keeps_its_files_after_a_connection_was_lost(url: str, schema: str) -> None:
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'memex' AND query LIKE '%" + schema + "%'"
    )
    with memexllm.open(url) as store:
        thread = store.threads.create()
        for _ in range(3):
            thread.append("user", "x")
            assert psql(URL, end)
            assert thread.count()
    # These take the numbers that the lost connections had.
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(16)]
    child = os.fork()
    if child == 0:
        status = 1
        try:
            for file in files:
                os.fstat(file)
            status = 0
        finally:
            os._exit(status)
    for file in files:
        os.close(file)
    assert os.waitpid(child, 0)[1] == 0
