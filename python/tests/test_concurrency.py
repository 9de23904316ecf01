"""Many threads, many processes, and other users of the same file."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import memexllm

WRITER = """
import sys, memexllm
url, name, count = sys.argv[1:]
with memexllm.open(url) as store:
    thread = store.threads.open("shared")
    for number in range(int(count)):
        thread.append("user", f"{name} {number}", idempotency_key=f"{name}-{number}")
"""


def together(works: list[Callable[[], Any]]) -> list[BaseException]:
    """Runs functions in threads at once; returns what they raised."""
    problems: list[BaseException] = []
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> None:
        try:
            barrier.wait(10)
            work()
        except BaseException as error:  # pylint: disable=broad-exception-caught
            problems.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    return problems


def last_numbers(messages: list[memexllm.Message]) -> dict[str, int]:
    """The last number of each writer, whose messages stand in its order without a gap."""
    seen: dict[str, int] = {}
    for message in messages:
        name, _, number = message.content.partition(" ")
        assert int(number) == seen.get(name, -1) + 1
        seen[name] = int(number)
    return seen


def check_whole(thread: memexllm.Thread, writers: int, each: int) -> None:
    """Nothing lost, nothing twice, dense, and each writer's messages in its order."""
    messages = list(thread.messages())
    assert [message.seq for message in messages] == list(range(1, writers * each + 1))
    times = [message.created_at for message in messages]
    assert times == sorted(times)
    seen = last_numbers(messages)
    assert set(seen.values()) == {each - 1} and len(seen) == writers


def test_threads_append_to_one_thread(store: memexllm.Store) -> None:
    thread = store.threads.create()
    receipts: list[int] = []

    def work(name: int) -> Callable[[], None]:
        def append() -> None:
            for number in range(100):
                receipts.append(thread.append("user", f"{name} {number}").seq)

        return append

    assert not together([work(name) for name in range(8)])
    check_whole(thread, 8, 100)
    assert sorted(receipts) == list(range(1, 801))


def test_threads_use_everything_at_once(store: memexllm.Store) -> None:
    shared = store.threads.create(id="shared")
    done = threading.Event()

    def writes() -> None:
        for number in range(100):
            shared.append([{"role": "user", "content": str(number)}] * 3, metadata={"n": number})
        done.set()

    def reads() -> None:
        while not done.is_set():
            assert len(shared.bodies()) % 3 == 0
            assert shared.count() % 3 == 0
            assert [message.seq for message in shared.messages(last=7)] != [0]

    def creates() -> None:
        for number in range(60):
            made = store.threads.create(metadata={"n": number})
            made.append("user", "x")
            assert made.fork().count() == 1
            made.update(title="t")
            made.delete()

    def lists() -> None:
        while not done.is_set():
            assert "shared" in [entry.id for entry in store.threads.list(order="created")]

    def fails() -> None:
        for _ in range(100):
            try:
                store.threads.open("nosuch")
            except memexllm.errors.NotFoundError as error:
                assert "id" in str(error)

    assert not together([writes, reads, creates, lists, fails, fails])
    assert shared.count() == 300


def test_one_handle_is_opened_once(store: memexllm.Store) -> None:
    store.threads.create(id="t").append("user", "x")
    (listed,) = store.threads.list()
    assert not together([listed.count] * 8)


def test_processes_append_to_one_thread(file_url: str) -> None:
    with memexllm.open(file_url) as store:
        thread = store.threads.create(id="shared")
        writers = [
            # pylint: disable-next=consider-using-with
            subprocess.Popen([sys.executable, "-c", WRITER, file_url, str(name), "100"])
            for name in range(4)
        ]
        assert [writer.wait(120) for writer in writers] == [0] * 4
        check_whole(thread, 4, 100)


def test_a_killed_process_loses_nothing_that_was_acknowledged(file_url: str) -> None:
    code = (
        "import sys, memexllm\n"
        "with memexllm.open(sys.argv[1]) as store:\n"
        "    thread = store.threads.open('shared')\n"
        "    while True:\n"
        "        print(thread.append('user', '0 0').seq, flush=True)\n"
    )
    with memexllm.open(file_url) as store:
        store.threads.create(id="shared")
    acknowledged = 0
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", code, file_url], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            time.sleep(0.05)
            lines = [writer.stdout.readline() for _ in range(50)]
            writer.send_signal(signal.SIGKILL)
            lines += writer.stdout.read().split()
            acknowledged = max(acknowledged, *(int(line) for line in lines if line.strip()))
    with memexllm.open(file_url) as store:
        messages = list(store.threads.open("shared").messages())
        assert len(messages) >= acknowledged >= 150
        assert [message.seq for message in messages] == list(range(1, len(messages) + 1))
        assert store.command("check") == {"ok": True, "problems": []}


def test_beside_the_interpreters_own_sqlite(file_url: str, tmp_path: Path) -> None:
    file = tmp_path / "chat.db"
    with memexllm.open(file_url) as store:
        thread = store.threads.create(id="shared")
        setup = sqlite3.connect(file)
        setup.execute("CREATE TABLE of_the_user (n INTEGER PRIMARY KEY, text TEXT)")
        setup.commit()
        setup.close()

        def other() -> None:
            # Opening and closing again and again: what drops another copy's locks.
            for number in range(100):
                connection = sqlite3.connect(file, timeout=60, isolation_level=None)
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO of_the_user (text) VALUES (?)", (str(number),))
                connection.execute("COMMIT")
                connection.close()

        def ours(name: int) -> Callable[[], None]:
            def append() -> None:
                for number in range(150):
                    thread.append("user", f"{name} {number}")

            return append

        assert not together([other, ours(0), ours(1)])
        check_whole(thread, 2, 150)
        assert store.command("check")["ok"]
    check = sqlite3.connect(file)
    assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert check.execute("SELECT count(*) FROM of_the_user").fetchone() == (100,)
    check.close()


def test_one_copy_of_sqlite_in_the_process(file_url: str) -> None:
    code = (
        "import sys, memexllm\n"
        "memexllm.open(sys.argv[1]).close()\n"
        "import sqlite3\n"
        "maps = open('/proc/self/maps').read().split()\n"
        "print(len({name for name in maps if 'libsqlite3' in name}))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, file_url], capture_output=True, text=True, check=True
    )
    # None when the interpreter's is linked into it.
    assert int(run.stdout) <= 1


def test_a_signal_handler_may_append(store: memexllm.Store) -> None:
    thread = store.threads.create()
    other = store.threads.create()
    handled: list[int] = []

    def handle(*_: object) -> None:
        # It may itself be interrupted.
        handled.append(other.append("user", "x").seq)

    before = signal.signal(signal.SIGALRM, handle)
    try:
        for number in range(1, 1001):
            if number % 5 == 0:
                # Somewhere in one of the next calls.
                signal.setitimer(signal.ITIMER_REAL, 0.00001 * (number % 13 + 1))
            assert thread.append("user", "x").seq == number
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert handled
    assert sorted(handled) == list(range(1, other.count() + 1))


def test_forked_children_write_to_the_same_file(file_url: str) -> None:
    with memexllm.open(file_url) as store:
        thread = store.threads.create(id="shared")
        children = []
        for name in range(3):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    with memexllm.open(file_url) as own:
                        mine = own.threads.open("shared")
                        for number in range(50):
                            mine.append("user", f"{name} {number}")
                    code = 0
                finally:
                    os._exit(code)
            children.append(child)
        for number in range(50):
            thread.append("user", f"3 {number}")
        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
        check_whole(thread, 4, 50)


def test_a_child_of_a_forked_child_opens_its_own(file_url: str) -> None:
    def append_in_generations(left: int) -> int:
        with memexllm.open(file_url) as own:
            own.threads.open("shared").append("user", f"{left} before")
            if left:
                child = os.fork()
                if child == 0:
                    code = 1
                    try:
                        code = append_in_generations(left - 1)
                    finally:
                        os._exit(code)
                if os.waitpid(child, 0)[1]:
                    return 1
            own.threads.open("shared").append("user", f"{left} after")
        return 0

    with memexllm.open(file_url) as store:
        thread = store.threads.create(id="shared")
    assert append_in_generations(3) == 0
    with memexllm.open(file_url) as store:
        thread = store.threads.open("shared")
        befores = [f"{left} before" for left in (3, 2, 1, 0)]
        afters = [f"{left} after" for left in (0, 1, 2, 3)]
        assert [message.content for message in thread.messages()] == befores + afters
