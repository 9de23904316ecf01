"""asyncio: the same names, awaited; cancellation."""

# pylint: disable=missing-function-docstring,redefined-outer-name,protected-access

from __future__ import annotations

import asyncio
import inspect
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import memexllm
from memexllm import aio, errors, strategies
from memexllm._aio_runner import Runner
from memexllm.threads import ThreadList


@pytest.fixture
async def async_store(url: str) -> AsyncIterator[aio.AsyncStore]:
    async with aio.open(url) as opened:
        yield opened


PAIRS: list[tuple[Any, Any, set[str], set[str]]] = [
    # sync, async, only in sync, only in async
    (memexllm.Store, aio.AsyncStore, {"handle"}, {"sync"}),
    (memexllm.Threads, aio.AsyncThreads, set(), {"sync"}),
    (memexllm.Thread, aio.AsyncThread, {"handle", "forget", "store"}, {"sync"}),
    (memexllm.Message, aio.AsyncMessage, set(), {"sync", "load"}),
    (memexllm.Transaction, aio.AsyncTransaction, set(), {"sync"}),
    (ThreadList, aio.AsyncThreadList, set(), set()),
    (memexllm.Messages, aio.AsyncMessages, {"count", "index"}, {"reversed"}),
]


def public(kind: Any) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


@pytest.mark.parametrize(("sync", "other", "only_sync", "only_async"), PAIRS)
def test_parity(sync: Any, other: Any, only_sync: set[str], only_async: set[str]) -> None:
    assert public(sync) - only_sync == public(other) - only_async
    for name in public(other) - only_async:
        mine, theirs = getattr(sync, name), getattr(other, name)
        if not inspect.isfunction(mine):
            continue
        one, two = inspect.signature(mine), inspect.signature(theirs)
        assert list(one.parameters) == list(two.parameters), name
        for parameter in one.parameters:
            assert one.parameters[parameter].kind == two.parameters[parameter].kind, name
            assert one.parameters[parameter].default == two.parameters[parameter].default, name


def test_open_has_the_same_options() -> None:
    options = set(inspect.signature(memexllm.open).parameters) - {"url"}
    assert options == set(aio.OpenOptions.__annotations__)


async def test_a_conversation(async_store: aio.AsyncStore) -> None:
    thread = await async_store.threads.create(title="T", metadata={"a": 1}, id="t")
    receipt = await thread.append("user", "x", idempotency_key="k")
    assert (await thread.append("user", "x", idempotency_key="k")).duplicate
    assert receipt.seq == 1
    await thread.append([{"role": "assistant", "content": str(n)} for n in range(600)])
    assert await thread.count() == 601
    assert len(await thread.bodies()) == 601
    assert await thread.bodies(last=1) == [{"role": "assistant", "content": "599"}]
    seen = [message.seq async for message in thread.messages()]
    assert seen == list(range(1, 602))
    back = [message.seq async for message in thread.messages(last=300).reversed()]
    assert back == list(range(601, 301, -1))
    last = await thread.messages(last=2)
    assert [message.content for message in last] == ["598", "599"]
    message = await (await thread.message(1)).load()
    assert (message.role, message.raw) == ("user", b'{"role":"user","content":"x"}')
    assert (message.idempotency_key, message.state, message.thread) == ("k", "complete", thread)
    new = await message.replace({"role": "user", "content": "y"})
    new = await new.update_metadata({"m": 1}, if_rev=new.rev)
    assert (new.content, new.metadata) == ("y", {"m": 1})
    await new.delete()
    assert await thread.count() == 600
    info = await thread.update(title="U", if_version=1)
    assert (info.title, thread.title, thread.metadata) == ("U", "U", {"a": 1})
    fork = await thread.fork(at_seq=3, id="f")
    assert await fork.count() == 2
    window = await thread.context(strategy=strategies.fifo(2))
    assert len(window) == 2
    names = [entry.id async for entry in async_store.threads.list(metadata={"a": 1})]
    assert names == ["t"]
    pages = async_store.threads.list(page_size=1)
    assert len(await pages.page()) == 1 and pages.token
    await fork.delete()
    assert await async_store.threads.get("f") is None
    assert (await async_store.threads.open("t")) == thread
    assert (await async_store.command("check"))["ok"]
    assert "durable" in await async_store.stats()
    await async_store.flush()
    async_store.interrupt()
    async with await async_store.session(tenant="acme") as acme:
        assert await acme.threads.get("t") is None
    assert "t" in repr(thread)
    thread.close()


async def test_transactions(async_store: aio.AsyncStore) -> None:
    async with async_store.transaction() as work:
        thread = await work.threads.create(id="t")
        await thread.append("user", "x")
    assert work.results[0] == {"id": "t"}
    with pytest.raises(RuntimeError, match="no"):
        async with async_store.transaction() as work:
            await (await work.threads.open("t")).append("user", "never")
            raise RuntimeError("no")
    assert await (await async_store.threads.open("t")).count() == 1


async def test_errors(async_store: aio.AsyncStore) -> None:
    with pytest.raises(errors.NotFoundError):
        await async_store.threads.open("nosuch")
    with pytest.raises(errors.InvalidError):
        await aio.open("nosuch")
    await async_store.close()
    with pytest.raises(errors.ClosedError):
        await async_store.threads.create()


async def test_many_at_once(async_store: aio.AsyncStore) -> None:
    thread = await async_store.threads.create()
    await asyncio.gather(*[thread.append("user", str(n)) for n in range(200)])
    contents = [body["content"] for body in await thread.bodies()]
    assert sorted(contents, key=int) == [str(n) for n in range(200)]


async def test_a_call_that_has_not_begun_never_does(file_url: str) -> None:
    async with aio.open(file_url, workers=1) as store:
        thread = await store.threads.create()
        gate = threading.Event()
        blocking = asyncio.ensure_future(store._runner.run(gate.wait, 10))
        await asyncio.sleep(0.01)
        waiting = asyncio.ensure_future(thread.append("user", "never"))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        gate.set()
        assert await blocking
        assert await thread.count() == 0


async def test_a_call_that_waits_is_interrupted(file_url: str, tmp_path: Path) -> None:
    async with aio.open(file_url, timeout=20) as store:
        thread = await store.threads.create()
        # Another program holds the file's write lock.
        other = sqlite3.connect(tmp_path / "chat.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        kept = asyncio.ensure_future(thread.append("user", "kept"))
        await asyncio.sleep(0.2)
        dropped = asyncio.ensure_future(thread.append("user", "dropped"))
        await asyncio.sleep(0.2)
        dropped.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(dropped, 10)
        assert not kept.done()
        other.execute("ROLLBACK")
        other.close()
        assert (await asyncio.wait_for(kept, 10)).seq == 1
        assert await thread.bodies() == [{"role": "user", "content": "kept"}]


async def test_a_call_that_runs_is_waited_for() -> None:
    runner = Runner(1)
    begun, gate, done = threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        gate.wait(10)
        done.append(1)

    task = asyncio.ensure_future(runner.run(work))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.sleep(0.01)
    assert not task.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == [1]
    runner.shut_down()


async def test_cancelling_at_random_loses_and_doubles_nothing(async_store: aio.AsyncStore) -> None:
    thread = await async_store.threads.create()
    finished = 0
    for number in range(200):
        task = asyncio.ensure_future(thread.append("user", str(number)))
        await asyncio.sleep(0.0001 * (number % 7))
        task.cancel()
        try:
            await task
            finished += 1
        except asyncio.CancelledError:
            pass
    numbers = [int(body["content"]) for body in await thread.bodies()]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= finished


def test_what_is_closed_is_not_entered(url: str) -> None:
    async def main() -> None:
        store = await aio.open(url)
        ended = store.transaction()
        ended.rollback()
        await store.close()
        for closed in (store, ended):
            with pytest.raises(errors.ClosedError):
                async with closed:
                    pytest.fail("it was entered")

    asyncio.run(main())
