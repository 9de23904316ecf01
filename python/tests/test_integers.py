"""Integers reach the library as they are, or not at all."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

import pytest

import memexllm
from memexllm import _checks, errors, strategies
from memexllm.testing import check_storage_backend

BODY = {"role": "user", "content": "x"}


class Seven(IntEnum):
    """An integer of another class."""

    SEVEN = 7


def read(name: str) -> Callable[[memexllm.Thread, Any], object]:
    """Uses a number as messages' argument of a name."""
    return lambda thread, value: list(thread.messages(**{name: value}))


# Every argument that is an integer, by its name.
USES: list[tuple[str, Callable[[memexllm.Thread, Any], object]]] = [
    ("seq", lambda thread, value: thread.message(value)),
    ("last", lambda thread, value: thread.bodies(value)),
    *(
        (name, read(name))
        for name in "last from_seq to_seq after_seq before_seq limit page_size".split()
    ),
    ("expect_seq", lambda thread, value: thread.append("user", "x", expect_seq=value)),
    ("max_tokens", lambda thread, value: thread.context(value)),
    ("examine", lambda thread, value: thread.context(99, examine=value)),
    ("at_seq", lambda thread, value: thread.fork(at_seq=value)),
    ("if_version", lambda thread, value: thread.update(if_version=value)),
    ("if_version", lambda thread, value: thread.delete(if_version=value)),
    ("if_rev", lambda thread, value: thread.message(1).replace(BODY, if_rev=value)),
    ("if_rev", lambda thread, value: thread.message(1).update_metadata({}, if_rev=value)),
    ("if_rev", lambda thread, value: thread.message(1).delete(if_rev=value)),
    ("limit", lambda thread, value: thread.store.threads.list(limit=value)),
    ("page_size", lambda thread, value: thread.store.threads.list(page_size=value)),
    ("seed", lambda thread, value: check_storage_backend("memory:", cases=["threads"], seed=value)),
]
SIZES = (-(2**64), -(2**63) - 1, 2**63, 2**64 + 1, 10**5000)


@pytest.mark.parametrize(("name", "use"), USES)
def test_numbers_out_of_range_are_named(
    thread: memexllm.Thread, name: str, use: Callable[[Any, int], object]
) -> None:
    thread.append("user", "x")
    low, high = _checks.RANGES[name]
    for value in SIZES:
        with pytest.raises(errors.InvalidError, match=f"{name} must be between {low} and {high}"):
            use(thread, value)
    assert thread.count() == 1


@pytest.mark.parametrize(("name", "use"), USES)
@pytest.mark.parametrize("value", [True, False, 1.0, b"1", [1], "1"])
def test_only_integers_are_integers(
    thread: memexllm.Thread, name: str, use: Callable[[Any, Any], object], value: Any
) -> None:
    thread.append("user", "x")
    if name == "seq" and isinstance(value, str):
        return  # an id
    with pytest.raises(TypeError, match=f"{name} must be an integer, not {type(value).__name__}"):
        use(thread, value)
    assert thread.count() == 1


@pytest.mark.parametrize(("name", "use"), USES)
def test_the_ranges_are_the_librarys(
    monkeypatch: pytest.MonkeyPatch,
    thread: memexllm.Thread,
    name: str,
    use: Callable[[Any, int], object],
) -> None:
    """Without our checks, it refuses what they refuse and nothing else."""
    low, high = _checks.RANGES[name]
    monkeypatch.setitem(_checks.RANGES, name, (-(2**63), 2**63 - 1))
    thread.append("user", "x")
    for value in {max(low - 1, -(2**63)), min(high + 1, 2**63 - 1)} - {-(2**63), 2**63 - 1}:
        with pytest.raises(errors.InvalidError):
            use(thread, value)
    for value in (low, high):
        if (name, value) == ("at_seq", high):
            continue  # no thread is that long, which is InvalidError, too
        try:
            use(thread, value)
        except (errors.ConflictError, errors.LimitError, errors.NotFoundError):
            pass  # in range, only not so


def test_other_integers_will_do(thread: memexllm.Thread) -> None:
    thread.append([{"role": "user", "content": str(n)} for n in range(9)])
    assert thread.message(Seven.SEVEN).content == "6"
    assert len(thread.bodies(Seven.SEVEN)) == len(list(thread.messages(Seven.SEVEN))) == 7


@pytest.mark.parametrize("value", [-1, -0.1, 86_401, float("nan"), float("inf"), 10**400])
def test_timeouts_out_of_range_are_named(thread: memexllm.Thread, value: float) -> None:
    uses: list[Callable[[], object]] = [
        lambda: thread.append("user", "x", timeout=value),
        lambda: memexllm.open("memory:", timeout=value),
    ]
    for use in uses:
        with pytest.raises(errors.InvalidError, match="timeout must be between 0 and 86400"):
            use()
    assert thread.count() == 0


@pytest.mark.parametrize("value", [0, 2**31, -1, 2**64 + 1])
def test_strategies(value: int) -> None:
    with pytest.raises(errors.InvalidError, match="last must be between 1 and"):
        strategies.fifo(value)
    if value != 2**31:
        with pytest.raises(errors.InvalidError, match="max_tokens must be between 1 and"):
            strategies.token_budget(value)
