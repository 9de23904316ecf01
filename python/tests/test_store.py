"""Stores: opening, sessions, commands, closing."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path

import pytest

import memexllm
from memexllm import errors, strategies


def test_a_file_keeps_what_was_stored(file_url: str) -> None:
    with memexllm.open(file_url) as store:
        thread = store.threads.create(title="kept")
        thread.append("user", "Hello")
    with memexllm.open(file_url, create=False) as store:
        again = store.threads.open(thread.id)
        assert again.title == "kept"
        assert again.bodies() == [{"role": "user", "content": "Hello"}]


def test_relative_urls_are_relative_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    memexllm.open("sqlite:///here.db").close()
    assert (tmp_path / "here.db").exists()


def test_memory_is_private_and_a_name_shares_it() -> None:
    with memexllm.open("memory:") as one, memexllm.open("memory:") as two:
        one.threads.create(id="t")
        assert two.threads.get("t") is None
    with memexllm.open("memory:test-store") as one, memexllm.open("memory:test-store") as two:
        one.threads.create(id="t")
        assert two.threads.get("t") is not None


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("", errors.InvalidError),
        ("chat.db", errors.InvalidError),
        ("nosuch:///x", errors.MemexError),
        ("sqlite:////no/such/folder/x.db", errors.MemexError),
    ],
)
def test_wrong_urls_are_refused(url: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        memexllm.open(url)
    assert str(caught.value)


def test_options_of_open(file_url: str) -> None:
    with pytest.raises(errors.NotFoundError):
        memexllm.open(file_url, create=False)
    memexllm.open(file_url, durability="normal", timeout=0.5, tokenizer="estimate").close()
    with memexllm.open(file_url, read_only=True) as store, pytest.raises(errors.MemexError):
        store.threads.create()
    with pytest.raises(errors.InvalidError) as caught:
        memexllm.open(file_url, durability="maybe")  # type: ignore[arg-type]
    assert caught.value.details["path"] == "/durability"


def test_a_closed_store_says_so(store: memexllm.Store) -> None:
    thread = store.threads.create()
    closed = store.threads.list()
    store.close()
    store.close()
    for call in (
        lambda: thread.append("user", "x"),
        thread.count,
        thread.bodies,
        thread.get,
        closed.page,
        store.threads.create,
        store.flush,
        store.stats,
    ):
        with pytest.raises(errors.ClosedError):
            call()
    assert "closed" in repr(store)
    thread.close()


def test_a_forgotten_store_closes_itself(file_url: str) -> None:
    def use() -> None:
        memexllm.open(file_url).threads.create(id="t").append("user", "x")

    use()
    gc.collect()
    with memexllm.open(file_url) as store:
        assert store.threads.open("t").count() == 1


def test_threads_keep_their_store_open(url: str) -> None:
    thread = memexllm.open(url).threads.create()
    gc.collect()
    assert thread.append("user", "x").seq == 1


def test_sessions_see_their_tenant_only(store: memexllm.Store) -> None:
    with store.session(tenant="acme", principal="alice") as acme:
        acme.threads.create(id="t", title="of acme")
        with store.session(tenant="other") as other:
            assert other.threads.get("t") is None
            other.threads.create(id="t", title="of other")
        assert acme.threads.open("t").title == "of acme"
        with pytest.raises(errors.DeniedError):
            acme.session(tenant="other")
        with pytest.raises(errors.DeniedError):
            acme.stats()
        # The builtin that a caller may expect.
        with pytest.raises(PermissionError):
            acme.stats()
    assert store.threads.get("t") is None
    store.flush()


def test_commands(store: memexllm.Store) -> None:
    assert store.command("check")["ok"] is True
    assert store.command("maintain") == {}
    assert "durable" in store.stats()
    assert set(memexllm.describe()["commands"]) >= {"check", "maintain", "stats"}
    with pytest.raises(errors.NotFoundError):
        store.command("nosuch")
    with pytest.raises(errors.InvalidError):
        store.command("check", nosuch=1)


def test_interrupt_is_harmless_when_nothing_waits(store: memexllm.Store) -> None:
    store.interrupt()
    assert store.threads.create().append("user", "x").seq == 1


def test_close_from_another_thread_while_appending(store: memexllm.Store) -> None:
    thread = store.threads.create()
    begun = threading.Event()
    seen: list[BaseException] = []

    def work() -> None:
        try:
            while True:
                thread.append("user", "x")
                begun.set()
        except errors.MemexError as error:
            seen.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    assert begun.wait(10)
    store.close()
    worker.join(10)
    assert [type(error) for error in seen] == [errors.ClosedError]


def test_a_forked_child_is_told_to_open_its_own(store: memexllm.Store) -> None:
    thread = store.threads.create()
    thread.append("user", "x")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            thread.append("user", "from the child")
            answer = b"no error"
        except errors.ForkedError:
            answer = b"forked"
        except BaseException as error:  # pylint: disable=broad-exception-caught
            answer = repr(error).encode()
        try:
            with memexllm.open(store.url) as own:
                own.threads.create().append("user", "y")
            answer += b" own"
        except BaseException as error:  # pylint: disable=broad-exception-caught
            answer += repr(error).encode()
        os.write(writer, answer)
        os._exit(0)
    os.waitpid(child, 0)
    answer = os.read(reader, 1000)
    os.close(reader)
    os.close(writer)
    assert answer == b"forked own"
    assert thread.append("user", "y").seq == 2
    assert thread.count() == 2


def test_repr_hides_passwords() -> None:
    with memexllm.open("memory:") as store:
        store.url = "postgresql://alice:secret@host/db"
        assert "secret" not in repr(store)
        assert "alice" in repr(store)


@pytest.mark.parametrize("name", ["", "x" * 256, "é" * 128, "a\0b", "\ud800", None, 7])
def test_what_can_be_no_id_is_in_no_store(store: memexllm.Store, name: object) -> None:
    assert name not in store.threads


def test_the_longest_id_is_found(store: memexllm.Store) -> None:
    assert store.threads.create(id="x" * 255).id in store.threads


def test_what_is_closed_is_not_entered(store: memexllm.Store) -> None:
    """The block of a with does not run."""
    threads = store.threads
    thread = threads.create()
    strategy = memexllm.Strategy(strategies.fifo(1))
    ended = store.transaction()
    ended.rollback()
    session = store.session(tenant="a")
    strategy.close()
    store.close()
    session.close()
    for closed in (store, session, thread, strategy, ended):
        with pytest.raises(errors.ClosedError):
            with closed:
                pytest.fail("it was entered")


def test_a_thread_that_gave_its_handle_back_is_entered(thread: memexllm.Thread) -> None:
    thread.close()
    with thread:
        assert thread.count() == 0
