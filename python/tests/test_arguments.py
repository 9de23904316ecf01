"""Arguments of the wrong type or out of range: named, and never half taken."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, timezone
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

import memexllm
from memexllm import _options, algorithms, core, errors, storage, strategies, testing

NOW = datetime(2026, 1, 2, tzinfo=timezone.utc)
BODY = {"role": "user", "content": "x"}
STEP = {"type": "fifo", "last": 1}


# What an argument of a name must be. Of each, values of all other kinds are TypeErrors.
KINDS = {
    "integer": "last from_seq to_seq after_seq before_seq limit page_size at_seq if_version if_rev"
    " expect_seq max_tokens examine workers seed offset max_messages",
    "text": "url durability id title root cursor order provider state name tenant"
    " principal format idempotency_key role thread_id",
    "switch": "create read_only descending include_deleted erase pinned flagged",
    "object": "metadata filter patch provenance",
    "seconds": "timeout",
    "time": "created_at",
    "function": "factory function",
    "names": "roles cases",
}
KIND_OF = {name: kind for kind, names in KINDS.items() for name in names.split()}
# Arguments with a type of their own; any error of ours will do.
OTHERS = set("message text which body strategy pipeline messages storage algorithm content".split())
OTHERS.add("tokenizer")
OTHERS |= {"url_or_factory", "db_path", "arguments", "options", "settings", "fields"}

SAMPLES: dict[str, tuple[Any, ...]] = {
    "integer": (1, 2**40),
    "text": ("x", ""),
    "switch": (True, False),
    "object": ({}, {"a": 1}, MappingProxyType({"a": 1})),
    "seconds": (1.5, Decimal("0.5")),
    "time": (NOW,),
    "function": (len,),
    "names": (["user"], ("user",), {"user"}),
    "nothing of these": (b"x", object(), date(2026, 1, 1), 1j, ..., BaseException),
}
# Kinds whose values are also taken by another: integers are seconds, and classes are functions.
ALSO = {"seconds": {"integer", "switch"}, "function": {"nothing of these"}, "names": {"object"}}


def wrong(kind: str) -> Iterator[Any]:
    for other, values in SAMPLES.items():
        if other == kind or other in ALSO.get(kind, ()):
            continue
        yield from values
    if kind == "seconds":
        yield True
    if kind == "integer":
        yield from (1.0, float("nan"))


# --- every public function -----------------------------------------------------------------------

GIVEN: dict[str, Any] = {
    "url": "memory:",
    "id": "t",
    "name": "stats",
    "patch": {},
    "body": BODY,
    "which": 1,
    "pipeline": STEP,
    "messages": [BODY],
    "function": len,
    "factory": lambda url: None,
    "last": 1,
    "max_tokens": 100,
    "thread_id": "t",
    "content": "x",
    "role": "user",
    "message": BODY,
    "text": None,
    "url_or_factory": "memory:",
}
MODULES = (memexllm, strategies, testing, algorithms, storage)
# What takes nothing, waits for something, or is made by the package alone.
LEFT_OUT = {"Receipt", "ThreadInfo", "Window", "Messages", "Message", "Threads", "Thread", "Store"}
LEFT_OUT |= {"Transaction", "StorageBackend", "MemexError", "Report", "Step", "Tokenizer"}


def subjects(store: memexllm.Store) -> dict[str, Any]:
    thread = store.threads.create(id="t") if "t" not in store.threads else store.threads["t"]
    thread.append("user", "x")
    manager = core.HistoryManager(store)
    work = store.transaction()
    return {
        "store": store,
        "threads": store.threads,
        "thread": thread,
        "message": thread.message(1),
        "transaction": work,
        "manager": manager,
    }


def callables() -> dict[str, Callable[..., Any]]:
    """Every public function; of classes the methods of an object."""
    found: dict[str, Callable[..., Any]] = {"HistoryManager": core.HistoryManager}
    for module in MODULES:
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value) or name == "Strategy":
                found[name] = value
            else:
                assert inspect.ismodule(value) or name in LEFT_OUT, name
    with memexllm.open("memory:") as store:
        for subject, thing in subjects(store).items():
            for name, member in inspect.getmembers(type(thing), inspect.isfunction):
                if not name.startswith("_"):
                    found[f"{subject}.{name}"] = member
    return found


FUNCTIONS = callables()


def parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    found = dict(inspect.signature(function).parameters)
    found.pop("self", None)
    return found


def cases() -> Iterator[tuple[str, str]]:
    for name, function in FUNCTIONS.items():
        for parameter, entry in parameters(function).items():
            if entry.kind is not entry.VAR_KEYWORD:
                yield name, parameter
            elif name == "thread.append":
                for option in inspect.get_annotations(_options.AppendOptions):
                    yield name, option


def use(answer: Any) -> None:
    """Reads what is read lazily; gives back what was opened."""
    if isinstance(answer, memexllm.Messages):
        list(answer)
    elif hasattr(answer, "close"):
        answer.close()


def call(store: memexllm.Store, name: str, parameter: str, value: Any) -> None:
    function = FUNCTIONS[name]
    bound: list[Any] = []
    if "." in name:
        bound = [subjects(store)[name.partition(".")[0]]]
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for other, entry in parameters(function).items():
        if entry.kind is entry.VAR_KEYWORD:
            continue
        if other != parameter and entry.default is not entry.empty:
            continue
        content = value if other == parameter else GIVEN.get(other, store)
        if entry.kind is entry.POSITIONAL_ONLY:
            positional.append(content)
        else:
            named[other] = content
    if parameter not in parameters(function):
        named[parameter] = value
    if parameter == "text":
        positional[0] = "user"
    if name.startswith("register_"):
        named["name"] = value if parameter == "name" else "made-for-a-test"
    if name == "check_storage_backend" and parameter != "cases":
        named["cases"] = ["threads"]  # all of them take their time
    use(function(*bound, *positional, **named))


CASES = set(cases())


@pytest.fixture(scope="module", autouse=True)
def a_folder_for_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """SQLiteStorage makes a file of any text."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("arguments"))
        yield


@pytest.fixture
def memory() -> Iterator[memexllm.Store]:
    with memexllm.open("memory:") as opened:
        yield opened


def test_every_argument_has_a_kind() -> None:
    unknown = {parameter for _, parameter in cases()} - KIND_OF.keys() - OTHERS
    assert not unknown
    assert len(CASES) > 100


@pytest.mark.parametrize(("name", "parameter"), sorted(CASES))
def test_wrong_types_are_named(memory: memexllm.Store, name: str, parameter: str) -> None:
    kind = KIND_OF.get(parameter, "")
    for value in wrong(kind):
        if kind:
            with pytest.raises(TypeError, match=re.escape(parameter)) as caught:
                call(memory, name, parameter, value)
            assert type(value).__name__ in str(caught.value)
            continue
        try:
            call(memory, name, parameter, value)
        except (TypeError, ValueError, errors.MemexError):
            pass


ANYTHING = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats()
    | some.text(max_size=20)
    | some.binary(max_size=20)
    | some.datetimes()
    | some.sampled_from([object(), int, len, 1j, BODY, STEP, b"[]", "user", "1", -1, 2**64]),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(deadline=None)
@given(case=some.sampled_from(sorted(CASES)), value=ANYTHING)
def test_only_errors_that_are_documented(case: tuple[str, str], value: Any) -> None:
    if case in (("SQLiteStorage", "db_path"), ("check_storage_backend", "cases")):
        return  # text makes files; None is all cases, which take their time
    if case[1] in ("url", "url_or_factory"):
        return
    with memexllm.open("memory:") as store:
        try:
            call(store, *case, value)
        except (TypeError, ValueError, errors.MemexError):
            pass
        finally:
            for unregister in (memexllm.unregister_strategy, memexllm.unregister_backend):
                try:
                    unregister("made-for-a-test")
                except errors.NotFoundError:
                    pass
