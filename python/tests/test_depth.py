"""Metadata and provenance have all levels for themselves, whatever carries them."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import memexllm
from memexllm import errors

LIMIT = 128


def nested(levels: int, inner: Any = "x") -> dict[str, Any]:
    for _ in range(levels):
        inner = {"a": inner}
    return dict(inner)


def listed(name: str, value: Any) -> Callable[[memexllm.Thread], object]:
    each: Any = {name: value}
    return lambda thread: thread.append([{"role": "user"}], messages=[each])


def whole(name: str, value: Any) -> Callable[[memexllm.Thread], object]:
    options: Any = {name: value}
    return lambda thread: thread.append("user", "x", **options)


def ways(value: Any) -> dict[str, tuple[str, Callable[[memexllm.Thread], object]]]:
    """Every way in: the path of an error, and the call."""
    return {
        "create": ("/metadata", lambda thread: thread.store.threads.create(metadata=value)),
        "update": ("/metadata", lambda thread: thread.update(metadata=value)),
        "fork": ("/metadata", lambda thread: thread.fork(metadata=value)),
        "append": ("/metadata", whole("metadata", value)),
        "provenance": ("/provenance", whole("provenance", value)),
        "list": ("/messages/0/metadata", listed("metadata", value)),
        "listed provenance": ("/messages/0/provenance", listed("provenance", value)),
        "patch": ("", lambda thread: thread.message(1).update_metadata(value)),
    }


@pytest.mark.parametrize("way", ways(None))
def test_the_limit_is_that_of_the_value(url: str, way: str) -> None:
    value = nested(LIMIT)
    with memexllm.open(url) as store:
        thread = store.threads.create(id="t")
        thread.append("user", "x")
        ways(value)[way][1](thread)
        for more in (1, 2, 3, 4, 500):
            path, refused = ways(nested(LIMIT + more))[way]
            with pytest.raises(errors.LimitError) as caught:
                refused(thread)
            assert caught.value.details.get("path", "") == path
            assert caught.value.details["limit"] == LIMIT
            assert caught.value.details["offset"] == LIMIT * len('{"a":')
        count = thread.count()
        assert store.command("check")["ok"]
        if url == "memory:":
            return
    with memexllm.open(url) as store:
        thread = store.threads.open("t")
        kept = [thread, *store.threads.list(), *thread.messages()]
        found = [one.metadata for one in kept]
        found += [message.provenance for message in thread.messages()]
        assert value in found
        assert thread.count() == count
        assert store.command("check")["ok"]


@pytest.mark.parametrize("way", set(ways(None)) - {"patch"})
def test_a_fault_is_named_by_path_and_by_place_in_the_value(
    thread: memexllm.Thread, way: str
) -> None:
    thread.append("user", "x")
    path, refused = ways({"first": 1, "b": [1, "\ud800"]})[way]
    with pytest.raises(errors.InvalidError) as caught:
        refused(thread)
    assert caught.value.details == {"path": path, "offset": len('{"first":1,"b":[1,"')}
    assert str(caught.value).startswith(path)
