"""The integration with the OpenAI SDK: a request holds all that was passed, or is not sent."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai_clients import CALLS, RESULTS, Caller, ask, bodies, user
from openai_server import Server, text

import memexllm
from memexllm import errors, strategies, tokens
from memexllm.integrations.openai import with_history

SYSTEM = {"role": "system", "content": "s" * 360}


def test_windows(plain_client: openai.OpenAI, server: Server, store: memexllm.Store) -> None:
    client = with_history(store=store, max_tokens=120)(plain_client)
    thread = store.threads.create(id="t")
    thread.append("system", "Be nice.")
    for number in range(50):
        thread.append("user", f"question {number} " * 5)
        thread.append("assistant", f"answer {number} " * 5)
    server.say(text("ok"))
    ask(client, user("last"))
    assert server.seen[0] == {"role": "system", "content": "Be nice."}
    assert server.seen[-1] == user("last")[0]
    assert 2 < len(server.seen) < 20
    assert thread.count() == 103


def test_strategies(plain_client: openai.OpenAI, server: Server, store: memexllm.Store) -> None:
    client = with_history(store, strategies.fifo(3))(plain_client)
    server.say(text("a"), text("b"), text("c"))
    for question in "123":
        ask(client, user(question))
    assert [body["content"] for body in server.seen] == ["2", "b", "3"]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    ("before", "turn", "limit"),
    [
        ([SYSTEM], user("THE QUESTION " * 60), 200),
        ([], [SYSTEM, *user("THE QUESTION " * 60)], 200),
        ([], user("x" * 500), 5),
        ([], [SYSTEM, *user("x")], 50),
    ],
)
def test_a_turn_over_the_budget_is_refused(  # pylint: disable=too-many-arguments
    *,
    plain_caller: Caller,
    server: Server,
    store: memexllm.Store,
    first: bool,
    before: list[Any],
    turn: list[Any],
    limit: int,
) -> None:
    had = before if first else [*before, *user("q"), {"role": "assistant", "content": "a"}]
    if had:
        store.threads.create(id="t").append(had)
    caller = plain_caller.remember(store=store, max_tokens=limit)
    with pytest.raises(errors.LimitError) as caught:
        caller.ask(turn)
    assert not server.requests
    assert bodies(store) == had
    details = caught.value.details
    assert (details["limit"], details["stored"]) == (limit, False)
    assert details["messages"] and set(details["messages"]) <= set(range(len(turn)))
    # As much as it says is enough, and not one token less.
    for budget, sent in ((details["needed"] - 1, False), (details["needed"], True)):
        again = with_history(store=store, max_tokens=budget)(
            openai.OpenAI(base_url=server.url, api_key="k")
        )
        with again:
            if not sent:
                with pytest.raises(errors.LimitError):
                    ask(again, turn)
                assert bodies(store) == had
                continue
            server.say(text("ok"))
            ask(again, turn)
    assert server.seen[-len(turn) :] == turn
    assert bodies(store) == [*had, *turn, {"role": "assistant", "content": "ok"}]


def test_a_first_turn_is_counted_as_the_store_counts(
    plain_client: openai.OpenAI, server: Server
) -> None:
    tokens.register_tokenizer("letters", len)
    try:
        with memexllm.open("memory:", tokenizer="letters") as store:
            # 150 letters, and fewer than 50 tokens by the estimate.
            client = with_history(store=store, max_tokens=100)(plain_client)
            with pytest.raises(errors.LimitError, match=r"messages\[0\]"):
                ask(client, user("x" * 150))
            assert not list(store.threads.list())
            assert not server.requests
    finally:
        tokens.unregister_tokenizer("letters")


def test_a_first_turn_that_is_refused_makes_no_thread(
    plain_caller: Caller, server: Server, store: memexllm.Store
) -> None:
    caller = plain_caller.remember(store=store, max_tokens=5)
    for thread_id in (None, "t"):
        with pytest.raises(errors.LimitError, match=r"messages\[0\]"):
            caller.ask(user("x" * 500), thread_id)
        with pytest.raises(errors.InvalidError):
            caller.ask([{"content": "no role"}], thread_id)
        with pytest.raises(errors.InvalidError, match="nothing to send"):
            caller.ask([], thread_id)
    assert not list(store.threads.list())
    assert not server.requests


def test_a_turn_that_a_strategy_leaves_out_is_refused(
    plain_caller: Caller, server: Server, store: memexllm.Store
) -> None:
    thread = store.threads.create(id="t")
    thread.append([*user("do"), {"role": "assistant", "content": None, "tool_calls": CALLS[:1]}])
    caller = plain_caller.remember(store=store, strategy={"type": "fifo", "last": 1})
    with pytest.raises(errors.LimitError) as caught:
        caller.ask(RESULTS[:1])
    assert caught.value.details["messages"] == [0]
    assert caught.value.details["reasons"] == ["fifo"]
    assert (caught.value.details["needed"], caught.value.details["limit"]) == (2, 1)
    assert not server.requests
    assert thread.count() == 2


def test_a_registered_strategy_must_keep_the_turn(
    plain_caller: Caller, server: Server, store: memexllm.Store
) -> None:
    def nothing(_: dict[str, Any]) -> dict[str, Any]:
        return {"keep": []}

    memexllm.register_strategy("openai-nothing", nothing)
    try:
        caller = plain_caller.remember(store=store, strategy={"type": "openai-nothing"})
        with pytest.raises(errors.LimitError, match="strategy"):
            caller.ask(user("hi"))
        thread = store.threads.create(id="t")
        thread.append("user", "before")
        with pytest.raises(errors.LimitError, match="strategy"):
            caller.ask(user("hi"))
        assert thread.bodies() == user("before")
    finally:
        memexllm.unregister_strategy("openai-nothing")
    # A pipeline that fails: not sent, not stored.
    with pytest.raises(errors.NotFoundError):
        caller.ask(user("hi"))
    assert thread.bodies() == user("before")
    assert not server.requests


def test_the_same_turn_after_a_refusal_is_stored_once(
    plain_caller: Caller, server: Server, store: memexllm.Store
) -> None:
    thread = store.threads.create(id="t")
    thread.append([*user("q"), {"role": "assistant", "content": "a"}])
    turn = user("x" * 500)
    caller = plain_caller.remember(store=store, max_tokens=50)
    for _ in range(3):
        with pytest.raises(errors.LimitError) as caught:
            caller.ask(turn)
        assert caught.value.details["stored"] is False
    with openai.OpenAI(base_url=server.url, api_key="k", max_retries=0) as other:
        bigger = with_history(store=store)(other)
        with pytest.raises(openai.InternalServerError):
            ask(bigger, turn)
        server.say(text("ok"))
        ask(bigger, turn)
    assert thread.bodies()[2:] == [*turn, {"role": "assistant", "content": "ok"}]


def test_what_waits_for_an_answer_must_fit_too(
    plain_caller: Caller, server: Server, store: memexllm.Store
) -> None:
    # An earlier call stored it; to ask again with nothing new asks for its answer.
    thread = store.threads.create(id="t")
    thread.append(user("x" * 500))
    caller = plain_caller.remember(store=store, max_tokens=50)
    for messages in ([], user("x" * 500)):
        with pytest.raises(errors.LimitError) as caught:
            caller.ask(messages)
        assert caught.value.details["stored"] is True
    assert thread.count() == 1
    assert not server.requests


def test_a_prompt_that_the_same_call_replaces_is_no_error(
    caller: Caller, server: Server, store: memexllm.Store
) -> None:
    server.say(text("ok"))
    turn = [SYSTEM, *user("a"), {"role": "system", "content": "new"}, *user("b")]
    caller.ask(turn)
    assert server.seen == turn[1:]
    assert bodies(store)[:4] == turn


@pytest.mark.parametrize("messages", ["hi", {"role": "user", "content": "x"}, ["hi"], [None], 7])
def test_what_is_no_list_of_messages_is_refused(
    caller: Caller, server: Server, store: memexllm.Store, messages: Any
) -> None:
    with pytest.raises(errors.InvalidError, match="messages"):
        caller.ask(messages)
    with pytest.raises(errors.InvalidError, match="thread_id"):
        caller.ask(user("x"), 7)
    assert not server.requests
    assert not list(store.threads.list())


def test_a_turn_longer_than_a_window_is_refused(
    plain_client: openai.OpenAI, server: Server
) -> None:
    with memexllm.open("memory:") as store:
        client = with_history(store=store)(plain_client)
        with pytest.raises(errors.LimitError, match="newest 10,000"):
            ask(client, user("x") * 10_001)
        assert not list(store.threads.list())
    assert not server.requests
