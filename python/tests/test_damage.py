"""Values that nobody can have stored: a file is outside data, and none ends the process."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import memexllm
from memexllm import errors

VALUES = [
    str(-(2**63)),
    "-1",
    "0",
    "1",
    str(2**31),
    str(2**62),
    str(2**63 - 2),
    str(2**63 - 1),
    "NULL",
    "'text'",
    "x'ff00'",
]
TABLES = {
    "threads": "key version created_at_us updated_at_us activity_at_us changes deleted floor "
    "base_key base_seq base_rev root_key forks hidden",
    "messages": "row key created_at_us marked",
    "runs": "key row",
    "sqlite_sequence": "seq",
}
# The first, one of the middle and the last.
ROWS = {
    "threads": ["id = 't'", "id = 'f'"],
    "messages": ["row = 1", "row = 3", "row = (SELECT max(row) FROM messages)"],
    "runs": ["key = (1 << 32) + 1", "key = (SELECT max(key) FROM runs)"],
    "sqlite_sequence": ["name = 'threads'"],
}
OTHERS = [
    "UPDATE messages SET row = 9223372036854775807 WHERE row = (SELECT max(row) FROM messages); "
    "UPDATE runs SET row = 9223372036854775807 WHERE key = (SELECT max(key) FROM runs)",
    "UPDATE messages SET key = (1 << 32) + 0xFFFFFFFF WHERE key = (1 << 32) + 5; "
    "INSERT INTO runs SELECT key, row FROM messages WHERE key = (1 << 32) + 0xFFFFFFFF",
    "UPDATE runs SET row = 9223372036854775807",
    "UPDATE runs SET row = -9223372036854775808",
    "UPDATE messages SET created_at_us = 9223372036854775807",
    "UPDATE messages SET created_at_us = -9223372036854775808",
    "UPDATE messages SET receipt = zeroblob(28) WHERE receipt IS NOT NULL",
    "UPDATE messages SET receipt = x'01000000' || x'ffffffffffffff7f' || substr(receipt, 13) "
    "WHERE receipt IS NOT NULL",
    "UPDATE messages SET receipt = x'' WHERE receipt IS NOT NULL",
    "UPDATE messages SET head = substr(head, 1, 10) || x'ffffffff7fffffffff7fffffffff7fffffffff7f'",
    "UPDATE messages SET head = zeroblob(100000)",
    "UPDATE messages SET id = CAST(x'ff' AS TEXT), role = CAST(x'ff' AS TEXT) WHERE row = 2",
    "UPDATE threads SET floor = 99",
    "UPDATE threads SET floor = 1 << 40",
    "UPDATE threads SET base_key = key, base_seq = 3, floor = 3",
    "UPDATE threads SET metadata = '{not json'",
    "UPDATE threads SET metadata = '[1]'",
    "UPDATE threads SET metadata = ''",
    "UPDATE threads SET metadata = x'ff'",
    "UPDATE threads SET metadata = '{\"a\": \"' || CAST(x'ff' AS TEXT) || '\"}'",
    "UPDATE threads SET metadata = zeroblob(3000000)",
    "UPDATE threads SET title = CAST(x'ff' AS TEXT)",
    "UPDATE threads SET tenant = CAST(x'ff' AS TEXT) WHERE id = 't'",
]


def damages() -> Iterator[tuple[str, list[str]]]:
    """Name and statements of each."""
    for table, columns in TABLES.items():
        for column in columns.split():
            for value in VALUES:
                for row in ROWS[table]:
                    statement = f"UPDATE {table} SET {column} = {value} WHERE {row}"  # nosec B608
                    yield statement, [statement]
    for statements in OTHERS:
        yield statements, statements.split("; ")


def outside(file: Path, *statements: str) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


@pytest.fixture(name="file")
def made_file(tmp_path: Path) -> Path:
    """A thread of five messages, a fork of it with a message of its own and one that it changed."""
    file = tmp_path / "chat.db"
    with memexllm.open(f"sqlite:///{file}") as store:
        thread = store.threads.create(id="t", title="T", metadata={"a": 1})
        thread.append("user", "1", idempotency_key="k1")
        thread.append("user", "2", id="x2")
        for number in range(3, 6):
            thread.append("user", f"{number}", pinned=number == 4)
        fork = thread.fork(id="f", at_seq=3)
        fork.append("user", "of the fork")
        fork.message(2).replace({"role": "user", "content": "changed in the fork"})
        assert store.command("check") == {"ok": True, "problems": []}
    return file


def child(file: Path, cases: list[tuple[str, list[str]]]) -> subprocess.Popen[bytes]:
    """Runs all operations on each damage to the file; the outcomes go to a file beside it."""
    source = file.with_suffix(".jsonl")
    source.write_text("".join(json.dumps(case) + "\n" for case in cases), encoding="utf-8")
    with source.open("rb") as lines, file.with_suffix(".out").open("wb") as out:
        command = [sys.executable, str(Path(__file__).with_name("damage.py")), str(file)]
        return subprocess.Popen(command, stdin=lines, stdout=out)


def unexpected(line: str) -> list[str]:
    """What no program may see, and what check does not tell of."""
    name, outcomes, problems = json.loads(line)
    found = [f"{name}: {call}: {error}" for call, error in outcomes.items() if error[:1] == "!"]
    corrupt = [call for call, error in outcomes.items() if error == "CorruptError"]
    if corrupt and not problems:
        found.append(f"{name}: check is silent about: {corrupt}")
    return found


def test_no_damage_ends_the_process(file: Path, tmp_path: Path) -> None:
    cases = list(damages())
    children = []
    for number in range(2):
        copy = tmp_path / f"{number}.db"
        copy.write_bytes(file.read_bytes())
        children.append((copy, cases[number::2], child(copy, cases[number::2])))
    for copy, mine, process in children:
        code = process.wait(timeout=300)
        done = copy.with_suffix(".out").read_text(encoding="utf-8").splitlines()
        assert code == 0, f"the process ended with {code} at: {mine[len(done)][0]}"
        assert len(done) == len(mine)
        assert not [problem for line in done for problem in unexpected(line)]


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("UPDATE threads SET changes = 9223372036854775807", "changes"),
        ("UPDATE threads SET created_at_us = 9223372036854775807", "created_at_us"),
        ("UPDATE threads SET version = 'a'", "version"),
        ("UPDATE threads SET floor = 99 WHERE id = 't'", "floor"),
    ],
)
def test_errors_name_the_number(file: Path, statement: str, number: str) -> None:
    outside(file, statement)
    with memexllm.open(f"sqlite:///{file}") as store:
        with pytest.raises(errors.CorruptError, match="run the check command") as caught:
            store.threads.open("t").append("user", "six")
        assert caught.value.details["number"] == number
        problems = "; ".join(store.command("check")["problems"])
        assert ("gap in its seqs" if number == "floor" else f"its {number} is") in problems


@pytest.mark.parametrize("metadata", ["'{not json'", "'[1]'", "x'ff'", "''"])
def test_metadata_that_is_no_object(file: Path, metadata: str) -> None:
    outside(file, f"UPDATE threads SET metadata = {metadata} WHERE id = 't'")  # nosec B608
    with memexllm.open(f"sqlite:///{file}") as store:
        thread = store.threads.open("t")
        for call in (
            thread.get,
            lambda: list(store.threads.list()),
            lambda: list(store.threads.list(metadata={"a": 1})),
            lambda: thread.update(metadata={"b": 1}),
        ):
            with pytest.raises(errors.CorruptError, match="the metadata of thread number 1"):
                call()
        assert len(thread.bodies()) == 5
        assert "thread number 1 has metadata that is no JSON object" in "".join(
            store.command("check")["problems"]
        )


@pytest.mark.parametrize(
    "trigger",
    [
        "AFTER INSERT ON messages BEGIN DELETE FROM messages WHERE row = new.row; END",
        "AFTER UPDATE ON Threads BEGIN DELETE FROM runs; END",
        "INSTEAD OF INSERT ON conversations BEGIN DELETE FROM messages; END",
    ],
)
def test_triggers_are_refused(file: Path, trigger: str) -> None:
    outside(file, f"CREATE TRIGGER other {trigger}")
    for read_only in (False, True):
        with pytest.raises(errors.CorruptError, match="triggers"):
            memexllm.open(f"sqlite:///{file}", read_only=read_only)
    outside(file, "DROP TRIGGER other")
    with memexllm.open(f"sqlite:///{file}") as store:
        assert store.command("check")["ok"]


@pytest.mark.parametrize("number", [2**31 - 1, 2**63 - 1])
def test_the_end_of_thread_numbers_is_no_full_disk(file: Path, number: int) -> None:
    outside(file, f"UPDATE sqlite_sequence SET seq = {number} WHERE name = 'threads'")
    with memexllm.open(f"sqlite:///{file}") as store:
        with pytest.raises(errors.LimitError, match="sqlite_sequence"):
            store.threads.create()
