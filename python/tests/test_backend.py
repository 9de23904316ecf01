"""Backends, strategies and logging in Python: callbacks from the library."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import gc
import itertools
import logging
import subprocess
import sys
import threading
import weakref
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest

import memexllm
from memexllm import backend, errors, strategies, testing

_names = itertools.count()


class DictBackend(memexllm.StorageBackend):
    """A backend as the documentation describes it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.data: dict[bytes, bytes] = {}
        self.keys: list[bytes] = []
        self.lock = threading.Lock()
        self.closed = 0

    def get(self, key: bytes) -> bytes | None:
        return self.data.get(key)

    def scan(
        self, start: bytes, end: bytes, *, descending: bool, limit: int
    ) -> Iterable[tuple[bytes, bytes]]:
        with self.lock:
            low, high = bisect_left(self.keys, start), bisect_left(self.keys, end)
            keys = self.keys[low:high]
            if descending:
                keys.reverse()
            return [(key, self.data[key]) for key in keys[:limit]]

    def commit(self, writes: Sequence[backend.Write]) -> None:
        for kind, key, value in writes:
            present = key in self.data
            holds = {
                backend.REQUIRE_ABSENT: not present,
                backend.REQUIRE_PRESENT: present,
                backend.REQUIRE_EQUAL: self.data.get(key) == value,
            }
            if not holds.get(kind, True):
                raise backend.PreconditionFailed
        with self.lock:
            for kind, key, value in writes:
                present = key in self.data
                if kind == backend.PUT:
                    self.data[key] = value
                    if not present:
                        insort(self.keys, key)
                elif kind == backend.DELETE and present:
                    del self.data[key]
                    self.keys.remove(key)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def made() -> list[DictBackend]:
    """The backends that were opened."""
    return []


@pytest.fixture
def name(made: list[DictBackend]) -> Iterator[str]:
    """The name of a registered DictBackend."""
    chosen = f"dict{next(_names)}"

    def factory(url: str) -> DictBackend:
        made.append(DictBackend(url))
        return made[-1]

    memexllm.register_backend(chosen, factory)
    yield chosen
    memexllm.unregister_backend(chosen)


def test_a_backend_of_ones_own(name: str, made: list[DictBackend]) -> None:
    assert name in memexllm.describe()["backends"]
    with memexllm.open(f"{name}://some/where") as store:
        assert made[0].url == f"{name}://some/where"
        thread = store.threads.create(title="T")
        thread.append([{"role": "user", "content": str(n)} for n in range(700)])
        thread.append("user", "ü\0", idempotency_key="k")
        assert thread.append("user", "ü\0", idempotency_key="k").duplicate
        assert thread.bodies(1) == [{"role": "user", "content": "ü\0"}]
        assert [message.seq for message in reversed(thread.messages())] == list(range(701, 0, -1))
        assert store.threads.open(thread.id).fork(at_seq=5).count() == 5
        assert made[0].closed == 0
    assert made[0].closed == 1


def test_backends_from_many_threads(name: str) -> None:
    with memexllm.open(f"{name}:") as store:
        thread = store.threads.create()

        def work(number: int) -> None:
            for _ in range(20):
                thread.append("user", str(number))

        workers = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert [message.seq for message in thread.messages()] == list(range(1, 161))


def test_names_of_backends(name: str) -> None:
    with pytest.raises(errors.ExistsError):
        memexllm.register_backend(name, DictBackend)
    for wrong in ("", "Upper", "a b", "sqlite"):
        with pytest.raises((errors.InvalidError, errors.ExistsError)):
            memexllm.register_backend(wrong, DictBackend)
    with pytest.raises(errors.NotFoundError):
        memexllm.unregister_backend("nosuch")


def test_what_a_backend_raises_is_the_cause(name: str, made: list[DictBackend]) -> None:
    class Trouble(Exception):
        """Of the backend's own."""

    def fail(*_: Any, **__: Any) -> Any:
        raise Trouble("disk on fire: secret")

    with memexllm.open(f"{name}:") as store:
        thread = store.threads.create()
        for method in ("commit", "get", "scan"):
            original = getattr(made[0], method)
            setattr(made[0], method, fail)
            with pytest.raises(errors.CallbackError) as caught:
                thread.append("user", "x")
                store.threads.open("nosuch")
                list(store.threads.list())
            assert isinstance(caught.value.__cause__, Trouble)
            assert "secret" not in str(caught.value)
            assert "Trouble" in str(caught.value)
            setattr(made[0], method, original)
        setattr(made[0], "commit", lambda writes: sys.exit(3))
        with pytest.raises(SystemExit):
            thread.append("user", "x")
        delattr(made[0], "commit")
        before = thread.count()
        assert thread.append("user", "works again").seq == before + 1


def test_a_factory_that_fails() -> None:
    def factory(url: str) -> memexllm.StorageBackend:
        raise OSError(f"no {url}")

    chosen = f"dict{next(_names)}"
    memexllm.register_backend(chosen, factory)
    with pytest.raises(errors.CallbackError) as caught:
        memexllm.open(f"{chosen}:x")
    assert isinstance(caught.value.__cause__, OSError)
    memexllm.unregister_backend(chosen)


@pytest.mark.parametrize("answer", ["text", 7, [b"x"], [(b"x",)], [("x", "y")]])
def test_nonsense_from_a_backend(name: str, made: list[DictBackend], answer: Any) -> None:
    with memexllm.open(f"{name}:") as store:
        store.threads.create()
        made[0].scan = lambda *_, **__: answer  # type: ignore[method-assign]
        made[0].get = lambda key: answer  # type: ignore[method-assign]
        with pytest.raises(errors.CallbackError) as caught:
            list(store.threads.list())
            store.threads.open("x")
        assert caught.value.__cause__ is not None


def test_a_store_cannot_be_closed_from_inside(name: str, made: list[DictBackend]) -> None:
    with memexllm.open(f"{name}:") as store:
        thread = store.threads.create()
        original = made[0].commit
        seen: list[BaseException] = []

        def commit(writes: Sequence[backend.Write]) -> None:
            try:
                store.close()
            except errors.ReentrantError as error:
                seen.append(error)
            original(writes)

        made[0].commit = commit  # type: ignore[method-assign]
        assert thread.append("user", "x").seq == 1
        assert len(seen) == 1
    assert made[0].closed == 1


def test_what_is_registered_is_let_go() -> None:
    class Factory:  # pylint: disable=too-few-public-methods
        """Something to watch."""

        def __call__(self, url: str) -> DictBackend:
            return DictBackend(url)

    factory = Factory()
    watch = weakref.ref(factory)
    chosen = f"dict{next(_names)}"
    memexllm.register_backend(chosen, factory)
    with pytest.raises(errors.ExistsError):
        memexllm.register_backend(chosen, factory)
    del factory
    store = memexllm.open(f"{chosen}:")
    memexllm.unregister_backend(chosen)
    assert store.threads.create().append("user", "x").seq == 1
    store.close()
    gc.collect()
    assert watch() is None


def test_the_checker_passes_a_good_backend() -> None:
    # One backend for all opens: it keeps what was stored before.
    kept = DictBackend("")
    report = testing.check_storage_backend(lambda url: kept, seed=1)
    assert report.failed == 0
    assert report.passed >= 10
    assert "passed" in repr(report)


def test_the_checker_passes_what_is_built_in(url: str) -> None:
    assert testing.check_storage_backend(url).failed == 0


def test_the_checker_names_what_is_wrong() -> None:
    class Backwards(DictBackend):
        """Forgets the order."""

        def scan(
            self, start: bytes, end: bytes, *, descending: bool, limit: int
        ) -> Iterable[tuple[bytes, bytes]]:
            return super().scan(start, end, descending=not descending, limit=limit)

    with pytest.raises((AssertionError, errors.MemexError)) as caught:
        testing.check_storage_backend(Backwards)
    assert str(caught.value)


# Strategies -----------------------------------------------------------------------------------


@pytest.fixture
def talk(thread: memexllm.Thread) -> memexllm.Thread:
    """A system message and ten more."""
    thread.append("system", "Be nice.")
    for number in range(1, 11):
        thread.append("user" if number % 2 else "assistant", f"number {number}")
    return thread


def test_windows(talk: memexllm.Thread) -> None:
    window = talk.context()
    assert window.messages == talk.bodies()
    assert window.seqs == list(range(1, 12))
    assert (window.message_count, window.left_out, window.tokenizer) == (11, [], "estimate")
    small = talk.context(max_tokens=60)
    assert small.tokens <= 60
    assert small.messages[0] == {"role": "system", "content": "Be nice."}
    assert small.messages[-1] == talk.bodies(1)[0]
    assert small.left_out and all(entry["reason"] for entry in small.left_out)
    assert "tokens" in repr(small)
    html = small._repr_html_()  # pylint: disable=protected-access
    assert "Be nice." in html
    assert talk.context(strategy=strategies.fifo(2)).seqs[-2:] == [10, 11]
    pipeline = [strategies.pin(), strategies.token_budget(60)]
    assert talk.context(strategy=pipeline).seqs == small.seqs
    with memexllm.Strategy(pipeline) as prepared:
        assert talk.context(strategy=prepared).seqs == small.seqs
        assert talk.context(strategy=prepared).seqs == small.seqs
    with pytest.raises(errors.ClosedError):
        talk.context(strategy=prepared)
    with pytest.raises(errors.LimitError):
        talk.context(max_tokens=1)
    with pytest.raises(errors.NotFoundError):
        talk.context(strategy={"type": "nosuch"})
    with pytest.raises(errors.InvalidError):
        talk.context(strategy=strategies.fifo(-1))
    same = memexllm.build_context(talk.bodies(), max_tokens=60)
    assert same.messages == small.messages


def test_a_strategy_of_ones_own(talk: memexllm.Thread) -> None:
    given: list[dict[str, Any]] = []

    def tens(request: dict[str, Any]) -> list[int]:
        given.append(request)
        return [entry["seq"] for entry in request["messages"] if entry["seq"] in (10, 11)]

    memexllm.register_strategy("tens", tens)
    window = talk.context(max_tokens=500, strategy=strategies.custom("tens", setting=7))
    assert window.seqs[-2:] == [10, 11]
    assert given[0]["config"] == {"type": "tens", "setting": 7}
    assert given[0]["max_tokens"] == 500
    assert given[0]["messages"][0]["body"] == {"role": "system", "content": "Be nice."}
    assert "tens" in memexllm.describe()["strategies"]
    with pytest.raises(errors.ExistsError):
        memexllm.register_strategy("tens", tens)
    memexllm.unregister_strategy("tens")
    with pytest.raises(errors.NotFoundError):
        talk.context(strategy=strategies.custom("tens"))


def test_reasons_of_a_strategy(talk: memexllm.Thread) -> None:
    memexllm.register_strategy(
        "reasoned", lambda request: {"keep": [11], "reasons": {"11": "I like it"}}
    )
    window = talk.context(strategy=strategies.custom("reasoned"))
    assert "I like it" in {entry.get("detail") for entry in window.kept}
    memexllm.unregister_strategy("reasoned")


def _answer(answer: Any, request: dict[str, Any]) -> Any:
    assert request["messages"]
    return answer


def test_what_a_strategy_raises_is_the_cause(talk: memexllm.Thread) -> None:
    def fail(request: dict[str, Any]) -> list[int]:
        raise KeyError(request["config"]["type"])

    memexllm.register_strategy("failing", fail)
    with pytest.raises(errors.CallbackError) as caught:
        talk.context(strategy=strategies.custom("failing"))
    assert isinstance(caught.value.__cause__, KeyError)
    memexllm.unregister_strategy("failing")
    nonsense: list[Any] = [None, 7, ["x"], {"keep": "x"}, {"nosuch": []}, [99]]
    for answer in nonsense:
        memexllm.register_strategy("nonsense", partial(_answer, answer))
        with pytest.raises(errors.CallbackError):
            talk.context(strategy=strategies.custom("nonsense"))
        memexllm.unregister_strategy("nonsense")


# Logging --------------------------------------------------------------------------------------


def test_logging_is_bridged_only_when_it_is_used() -> None:
    code = (
        "import sys, memexllm; memexllm.open('memory:').close();"
        "print('logging' in sys.modules, 'memexllm._log' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
    code = (
        "import logging, sys; logging.basicConfig(level=logging.DEBUG); import memexllm;"
        "memexllm.open('memory:').close(); print('memexllm._log' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["True"]
    assert "Traceback" not in run.stderr


def test_log_lines_reach_the_logger(caplog: pytest.LogCaptureFixture) -> None:
    from memexllm import _log  # pylint: disable=import-outside-toplevel

    with caplog.at_level(logging.DEBUG, logger="memexllm"):
        memexllm.open("memory:").close()
        _log._RECEIVER(None, 2, None, 0)  # pylint: disable=protected-access
    assert [record.levelname for record in caplog.records if record.name == "memexllm"][-1:] == [
        "WARNING"
    ]
