"""Rows that another program removed: nothing is left out in silence, no seq is given twice."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

import memexllm
from memexllm import errors


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


def url_of(file: Path) -> str:
    return f"sqlite:///{file}"


def outside(file: Path, *statements: str) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


@pytest.fixture
def five(file: Path) -> Path:
    """A file with a thread of five messages, the second of them deleted, a neighbour and a fork."""
    with memexllm.open(url_of(file)) as store:
        thread, neighbour = store.threads.create(id="t"), store.threads.create(id="n")
        for number in range(1, 6):
            thread.append("user", f"{number}")
        thread.message(2).delete()
        neighbour.append("user", "other")
        fork = thread.fork(id="f", at_seq=3)
        fork.append("user", "of the fork")
        fork.message(1).replace({"role": "user", "content": "changed in the fork"})
        assert store.command("check") == {"ok": True, "problems": []}
    return file


def problems(file: Path) -> str:
    with memexllm.open(url_of(file)) as store:
        found = store.command("check")
        assert found["ok"] == (not found["problems"])
        return "; ".join(found["problems"])


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM messages", "message 1 of thread number 1 is missing"),
        ("DELETE FROM messages WHERE row = 3", "thread number 1 has a gap in its seqs"),
        ("DELETE FROM messages WHERE row = 1", "message 1 of thread number 1 is missing"),
        (
            "DELETE FROM messages; DELETE FROM runs",
            "thread number 3 shares messages that are missing",
        ),
        ("DELETE FROM runs", "cannot be found through its run"),
        ("DELETE FROM runs WHERE key >> 32 = 1", "cannot be found through its run"),
        ("DELETE FROM threads WHERE id = 'n'", "messages of thread number 2 have no thread"),
        ("DELETE FROM threads WHERE id = 't'", "was forked from a thread that is missing"),
        ("UPDATE threads SET deleted = 99", "says that 99 of its messages are deleted, and 1 are"),
        ("UPDATE threads SET deleted = 0 WHERE id = 'f'", "and 1 are"),
        ("UPDATE threads SET forks = 7 WHERE id = 't'", "says that it has 7 forks, and has 1"),
        ("UPDATE threads SET activity_at_us = 1", "was active at another time"),
    ],
)
def test_check_finds_what_is_missing(five: Path, statement: str, problem: str) -> None:
    outside(five, *statement.split("; "))
    assert problem in problems(five)


@pytest.mark.parametrize("row", [1, 2, 3, 4])
def test_reads_do_not_leave_out_what_is_missing(five: Path, row: int) -> None:
    outside(five, f"DELETE FROM messages WHERE row = {row}")
    with memexllm.open(url_of(five)) as store:
        # Opening it may say so already.
        for query in (
            {},
            {"descending": True},
            {"from_seq": row, "to_seq": row},
            {"from_seq": row, "to_seq": row, "descending": True},
        ):
            with pytest.raises(errors.CorruptError, match="not in the database any more"):
                list(store.threads.open("t").messages(**query))
        assert len(store.threads.open("n").bodies()) == 1
    if row <= 3:
        with (
            memexllm.open(url_of(five)) as store,
            pytest.raises(errors.CorruptError, match="not in the database any more"),
        ):
            # Shared with the thread that lost it.
            list(store.threads.open("f").messages())


def test_a_count_that_cannot_be_is_corrupt(five: Path) -> None:
    outside(five, "UPDATE threads SET deleted = 99 WHERE id = 't'")
    with memexllm.open(url_of(five)) as store:
        with pytest.raises(errors.CorruptError, match="99 deleted messages of 5"):
            store.threads.open("t").count()
        with pytest.raises(errors.CorruptError):
            store.threads.open("t").append("user", "six")


def test_a_fork_does_not_leave_out_what_its_base_lost(five: Path) -> None:
    with memexllm.open(url_of(five)) as store:
        store.threads.open("t").fork(id="late")
    outside(five, "DELETE FROM messages WHERE row = 5")
    assert "thread number 4 shares messages that are missing" in problems(five)
    with memexllm.open(url_of(five)) as store:
        assert len(store.threads.open("f").bodies()) == 3
        with pytest.raises(errors.CorruptError, match="shares with another are missing"):
            store.threads.open("late").bodies()


@pytest.mark.parametrize("statement", ["DELETE FROM runs", "DELETE FROM messages"])
def test_no_seq_is_given_twice(five: Path, statement: str) -> None:
    with memexllm.open(url_of(five)) as store:
        known = store.threads.open("t")
        known.append("user", "six")
        outside(five, statement)
        for call in (lambda: known.append("user", "again"), known.bodies):
            with pytest.raises(errors.CorruptError):
                call()
    with memexllm.open(url_of(five)) as store:
        with pytest.raises(errors.CorruptError):
            store.threads.open("t").append("user", "again")


def test_a_thread_that_lost_its_end_is_not_continued(file: Path) -> None:
    with memexllm.open(url_of(file)) as store:
        thread = store.threads.create()
        thread.append([{"role": "user", "content": str(number)} for number in range(3)])
        outside(file, "DELETE FROM messages WHERE row = 3")
        with pytest.raises(errors.CorruptError, match="contradict each other"):
            thread.append("user", "three")
