"""The integration with the OpenAI SDK: results of tool calls are sent whole, or not at all."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

from typing import Any

import pytest
from openai_clients import CALLS, RESULTS, Caller, bodies, user
from openai_server import Server, completion, text

import memexllm
from memexllm import errors


@pytest.mark.parametrize("answered", [True, False])
def test_a_result_without_a_call_is_refused(
    caller: Caller, server: Server, store: memexllm.Store, answered: bool
) -> None:
    if answered:
        store.threads.create(id="t").append([*user("q"), {"role": "assistant", "content": "a"}])
    had = bodies(store)
    for turn in (RESULTS[:1], [*user("x"), RESULTS[0]]):
        with pytest.raises(errors.InvalidError, match="answers no call") as caught:
            caller.ask(turn)
        assert caught.value.details["messages"] == [len(turn) - 1]
        assert bodies(store) == had
    assert not server.requests


@pytest.mark.parametrize(("call_id", "name"), [("c" * 41, "f"), ("c1", "mcp.tool")])
def test_a_result_whose_call_cannot_be_sent_is_refused_with_the_reason(
    caller: Caller, server: Server, call_id: str, name: str
) -> None:
    calls = [{"id": call_id, "type": "function", "function": {"name": name, "arguments": "{}"}}]
    server.say(completion({"tool_calls": calls}, finish_reason="tool_calls"))
    caller.ask(user("do"))
    with pytest.raises(errors.InvalidError, match="message 2 .* not of the form") as caught:
        caller.ask([{"role": "tool", "tool_call_id": call_id, "content": "r"}])
    assert caught.value.details["malformed"] == 2
    assert len(server.requests) == 1


def test_calls_without_results_are_refused(
    caller: Caller, server: Server, store: memexllm.Store
) -> None:
    turn = [*user("do"), {"role": "assistant", "content": None, "tool_calls": CALLS}]
    with pytest.raises(errors.InvalidError, match="results"):
        caller.ask(turn)
    assert not bodies(store)
    assert not server.requests


@pytest.mark.parametrize("rest", [RESULTS[1:], RESULTS, [*RESULTS[1:], *user("and then?")]])
def test_results_of_parallel_calls_may_come_one_by_one(
    caller: Caller, server: Server, store: memexllm.Store, rest: list[Any]
) -> None:
    calling = {"role": "assistant", "tool_calls": CALLS}
    server.say(completion({"tool_calls": CALLS}, finish_reason="tool_calls"), text("done"))
    caller.ask(user("do"))
    for _ in range(2):
        # It waits for the other; said again it is not kept again.
        with pytest.raises(errors.InvalidError, match="results") as caught:
            caller.ask(RESULTS[:1])
        assert caught.value.details["missing"] == ["c2"]
        assert caught.value.details["stored"] is True
        assert bodies(store) == [*user("do"), calling, RESULTS[0]]
    assert len(server.requests) == 1
    caller.ask(rest)
    assert server.seen == [
        *user("do"),
        calling,
        *RESULTS,
        *rest[len(rest) - 1 :][: rest[-1]["role"] == "user"],
    ]
    assert [body for body in bodies(store) if body["role"] == "tool"] == RESULTS


def test_a_part_of_the_results_and_more_is_refused(
    caller: Caller, server: Server, store: memexllm.Store
) -> None:
    server.say(completion({"tool_calls": CALLS}, finish_reason="tool_calls"), text("done"))
    caller.ask(user("do"))
    with pytest.raises(errors.InvalidError):
        caller.ask([RESULTS[0], *user("hurry")])
    assert len(bodies(store)) == 2
    # The calls are given up.
    caller.ask(user("never mind"))
    assert server.seen == [*user("do"), *user("never mind")]
