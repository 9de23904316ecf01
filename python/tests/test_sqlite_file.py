"""What happens to a database file from outside, and what is said about it."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import memexllm
from memexllm import errors

Outside = Callable[[Path], object]


def removed(file: Path) -> None:
    file.unlink()


def renamed(file: Path) -> None:
    file.rename(file.with_name("elsewhere.db"))


def replaced(file: Path) -> None:
    copy = file.with_name("copy.db")
    shutil.copy(file, copy)
    os.replace(copy, file)


def log_removed(file: Path) -> None:
    Path(f"{file}-wal").unlink()


def index_removed(file: Path) -> None:
    Path(f"{file}-shm").unlink()


def folder_renamed(file: Path) -> None:
    file.parent.rename(file.parent.with_name("moved"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "chat.db"


def noticed() -> None:
    """Waits until the store looks at its files again: two milliseconds."""
    time.sleep(0.01)


def url_of(file: Path) -> str:
    return f"sqlite:///{file}"


@pytest.mark.parametrize(
    "outside", [removed, renamed, replaced, log_removed, index_removed, folder_renamed]
)
@pytest.mark.parametrize("idle", [0, 0.3])
def test_a_file_that_is_moved_under_an_open_store(
    file: Path, outside: Outside, idle: float
) -> None:
    with memexllm.open(url_of(file)) as store:
        thread = store.threads.create(id="t")
        for number in range(3):
            thread.append("user", f"before {number}")
        # The folder's time of change settles.
        time.sleep(idle)
        thread.append("user", "before")
        outside(file)
        noticed()
        # Before the commit or after it: never acknowledged.
        refusals = (errors.OutcomeUnknownError, errors.PoisonedError)
        with pytest.raises(refusals, match="moved, deleted or replaced"):
            thread.append("user", "lost")
        for call in (lambda: thread.append("user", "again"), thread.bodies, store.flush):
            with pytest.raises(errors.PoisonedError, match="moved, deleted or replaced"):
                call()


@pytest.mark.parametrize("read_only", [False, True])
def test_reads_refuse_another_file(file: Path, read_only: bool) -> None:
    memexllm.open(url_of(file)).close()
    with memexllm.open(url_of(file)) as writer:
        writer.threads.create(id="t").append("user", "ours")
    with memexllm.open(url_of(file), read_only=read_only) as store:
        thread = store.threads.open("t")
        assert len(thread.bodies()) == 1
        other = file.with_name("other.db")
        with memexllm.open(url_of(other)) as others:
            others.threads.create(id="t").append("user", "not ours")
        os.replace(other, file)
        noticed()
        with pytest.raises(errors.PoisonedError, match="moved, deleted or replaced"):
            thread.bodies()
    for suffix in ("-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    with memexllm.open(url_of(file)) as store:
        assert store.threads.open("t").bodies()[0]["content"] == "not ours"


def test_a_renamed_file_that_is_put_back_is_whole(file: Path) -> None:
    with memexllm.open(url_of(file)) as store:
        thread = store.threads.create(id="t")
        thread.append("user", "one")
        renamed(file)
        noticed()
        with pytest.raises(errors.OutcomeUnknownError):
            thread.append("user", "two", idempotency_key="k")
    file.with_name("elsewhere.db").rename(file)
    with memexllm.open(url_of(file)) as store:
        thread = store.threads.open("t")
        thread.append("user", "two", idempotency_key="k")
        assert [body["content"] for body in thread.bodies()] == ["one", "two"]
        assert store.command("check") == {"ok": True, "problems": []}


def test_other_files_in_the_folder_do_not_matter(file: Path) -> None:
    with memexllm.open(url_of(file)) as store:
        thread = store.threads.create()
        for number in range(50):
            other = file.with_name(f"other {number}")
            other.touch()
            thread.append("user", "text")
            other.rename(file.with_name("renamed"))
            thread.append("user", "text")
        assert len(thread.bodies()) == 100


def test_a_lock_file_that_was_removed_is_made_again(file: Path) -> None:
    lock = Path(f"{file}-lock")
    with memexllm.open(url_of(file)) as store:
        thread = store.threads.create()
        lock.unlink()
        noticed()
        thread.append("user", "notices")
        thread.append("user", "makes it")
        assert lock.exists()


# The schema -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE messages",
        "DROP TABLE runs",
        "ALTER TABLE threads RENAME COLUMN floor TO ceiling",
        "DROP INDEX message_idempotency_keys",
    ],
)
def test_a_schema_that_was_changed_is_corrupt(file: Path, change: str) -> None:
    memexllm.open(url_of(file)).close()
    outside(file, "DROP VIEW conversations", change)
    with pytest.raises(errors.CorruptError, match="missing or changed"):
        memexllm.open(url_of(file))
    with pytest.raises(errors.CorruptError, match="missing or changed"):
        memexllm.open(url_of(file), read_only=True)


def test_a_table_that_goes_while_the_store_is_open(file: Path) -> None:
    with memexllm.open(url_of(file)) as store:
        thread = store.threads.create()
        thread.append("user", "one")
        assert thread.bodies()
        outside(file, "DROP VIEW conversations", "DROP TABLE messages")
        with pytest.raises(errors.CorruptError, match="missing or changed"):
            thread.append("user", "two")
        with pytest.raises(errors.CorruptError, match="missing or changed"):
            thread.bodies()


def test_a_foreign_schema_under_our_numbers(file: Path) -> None:
    outside(
        file,
        "CREATE TABLE notes (text TEXT)",
        "PRAGMA application_id = 1296387416",
        "PRAGMA user_version = 1",
    )
    with pytest.raises(errors.CorruptError, match="missing or changed"):
        memexllm.open(url_of(file))
    assert leftovers(file) == ["chat.db"]


def outside(file: Path, *statements: str) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def leftovers(file: Path) -> list[str]:
    return sorted(entry.name for entry in file.parent.iterdir())


# Refused opens ----------------------------------------------------------------------------------


def test_a_refused_open_leaves_nothing_behind(file: Path) -> None:
    file.write_bytes(b"no database at all, and longer than a header of SQLite is" * 40)
    with pytest.raises(errors.CorruptError, match="not a SQLite database"):
        memexllm.open(url_of(file))
    assert leftovers(file) == ["chat.db"]
    file.unlink()
    outside(file, "CREATE TABLE notes (text TEXT)")
    with pytest.raises(errors.InvalidError, match="another program"):
        memexllm.open(url_of(file))
    assert leftovers(file) == ["chat.db"]


def test_a_late_refusal_leaves_nothing_behind(file: Path) -> None:
    # Looking on does not show it, opening for writing does: the log cannot be made.
    outside(file, "PRAGMA journal_mode = DELETE")
    Path(f"{file}-wal").mkdir()
    with pytest.raises(errors.StorageIOError):
        memexllm.open(url_of(file))
    assert "chat.db-lock" not in leftovers(file)


def test_a_lock_file_of_others_stays(file: Path) -> None:
    lock = Path(f"{file}-lock")
    lock.touch()
    file.write_bytes(b"no database at all" * 100)
    with pytest.raises(errors.CorruptError):
        memexllm.open(url_of(file))
    assert lock.exists()


def test_errors_of_the_file_system_say_which_and_why(file: Path) -> None:
    lock = Path(f"{file}-lock")
    lock.mkdir()
    expect_io(file, errno.EISDIR, '"chat.db-lock"', "it is a folder")
    lock.rmdir()
    lock.symlink_to("nowhere")
    expect_io(file, errno.ELOOP, '"chat.db-lock"', "remove the symbolic link")
    lock.unlink()
    expect_io(file.with_name("n" * 252), errno.ENAMETOOLONG, "nnn", "name too long", "shorten")
    expect_io(file.with_name("n" * 300), errno.ENAMETOOLONG, "nnn", "name too long", "shorten")
    link = file.with_name("link.db")
    link.symlink_to("nowhere.db")
    expect_io(link, errno.ENOENT, '"link.db"', "symbolic link to nothing")
    link.unlink()
    link.symlink_to("link.db")
    expect_io(link, errno.ELOOP, '"link.db"', "too many levels of symbolic links")
    expect_io(file.with_name("none") / "a.db", errno.ENOENT, '"a.db"', "create it first")


def expect_io(file: Path, number: int, *words: str) -> None:
    with pytest.raises(errors.StorageIOError) as raised:
        memexllm.open(url_of(file))
    assert raised.value.details["errno"] == number
    for word in words:
        assert word in str(raised.value)


def test_permissions_are_named() -> None:
    code = (
        "import json, os, sys, memexllm\n"
        "memexllm.open('sqlite::memory:').close()\n"
        # Permissions do not stop root.
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "try:\n    memexllm.open(sys.argv[1])\n"
        "except memexllm.errors.StorageError as error:\n    print(error.details['errno'], error)\n"
    )
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "chat.db"
        lock = Path(f"{file}-lock")
        memexllm.open(url_of(file)).close()
        file.parent.chmod(0o777)
        for entry in file.parent.iterdir():
            entry.chmod(0o666)
        lock.chmod(0)
        assert run(code, url_of(file)).startswith(f"{errno.EACCES} the writers' lock file")
        lock.unlink()
        file.parent.chmod(0o555)
        assert '"chat.db-lock" cannot be opened: permission denied' in run(code, url_of(file))
        file.chmod(0)
        assert '"chat.db" cannot be opened: permission denied' in run(code, url_of(file))
        file.parent.chmod(0o755)
        assert not lock.exists()


def run(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_one_lock_whatever_the_path(file: Path) -> None:
    memexllm.open(url_of(file)).close()
    link = file.parent.parent / "link.db"
    link.symlink_to(file)
    with memexllm.open(url_of(link)) as store:
        store.threads.create(id="t").append("user", "through the link")
    assert leftovers(file) == ["chat.db", "chat.db-lock", "chat.db-shm", "chat.db-wal"]
    assert not (file.parent.parent / "link.db-lock").exists()
