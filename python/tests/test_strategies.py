"""The steps of memexllm.strategies are the library's."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

import inspect
from typing import Any

import pytest

import memexllm
from memexllm import errors, strategies

TALK = [
    {"role": "system", "content": "s"},
    {"role": "developer", "content": "d"},
    {"role": "user", "content": "one"},
    {"role": "assistant", "content": "two"},
    {"role": "user", "content": "three"},
]
# What has no default.
REQUIRED: dict[str, dict[str, Any]] = {"fifo": {"last": 1}, "token_budget": {"max_tokens": 60}}
STEPS = [
    name
    for name in strategies.__all__
    if inspect.isfunction(function := getattr(strategies, name))
    and inspect.signature(function).return_annotation == "Step"
]


def test_every_step_is_tested() -> None:
    assert set(STEPS) == {"custom", "fifo", "pin", "token_budget"}


@pytest.mark.parametrize("name", sorted(set(STEPS) - {"custom"}))
def test_defaults_are_those_of_the_library(name: str) -> None:
    """A step with its defaults does what the library's own defaults do."""
    required = REQUIRED.get(name, {})
    ours = getattr(strategies, name)(**required)
    theirs = {"type": name, **required}
    with memexllm.Strategy(ours), memexllm.Strategy(theirs):
        pass
    for others in ([], [strategies.fifo(1)]):
        one = memexllm.build_context(TALK, strategy=[ours, *others])
        two = memexllm.build_context(TALK, strategy=[theirs, *others])
        assert (one.seqs, one.kept, one.left_out) == (two.seqs, two.kept, two.left_out)


def test_the_example_of_the_module() -> None:
    example = (strategies.__doc__ or "").partition("window = ")[2].partition("\n\n")[0]
    with memexllm.open("memory:") as store:
        thread = store.threads.create()
        thread.append(TALK)
        window = eval(  # pylint: disable=eval-used
            example, {"thread": thread, "strategies": strategies}
        )
        assert window.seqs == [1, 2, 3, 4, 5]


def test_a_budget_needs_its_number() -> None:
    nothing: dict[str, Any] = {}
    with pytest.raises(TypeError, match="max_tokens"):
        strategies.token_budget(**nothing)


def test_an_empty_pipeline_is_refused() -> None:
    with pytest.raises(errors.InvalidError, match="empty"):
        memexllm.build_context(TALK, strategy=[])


def test_deleted_messages_part_no_prompt(thread: memexllm.Thread) -> None:
    thread.append([TALK[0], TALK[2], TALK[1], TALK[4]])
    assert thread.context().seqs == [2, 3, 4]
    thread.message(2).delete()
    assert thread.context().seqs == [1, 3, 4]


def test_a_pinned_group_is_found_over_deleted_messages(thread: memexllm.Thread) -> None:
    called = {"name": "f", "arguments": "{}"}
    calls = [{"id": name, "type": "function", "function": called} for name in "ab"]
    thread.append(TALK[2])
    thread.append({"role": "assistant", "content": None, "tool_calls": calls}, pinned=True)
    thread.append([TALK[2]] * 300)
    for seq in range(3, 303):
        thread.message(seq).delete()
    fork = thread.fork()
    for each in (thread, fork):
        each.append([{"role": "tool", "tool_call_id": name, "content": "r"} for name in "ab"])
        each.append([TALK[2], TALK[4]])
        assert each.context(strategy=strategies.fifo(1)).seqs == [2, 303, 304, 306]
