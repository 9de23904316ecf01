"""The integration with the OpenAI SDK: streams."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

import gc
from typing import Any

import openai
import pytest
from openai_clients import CALLS, Caller, ask, stored, user
from openai_server import Reply, Server, chunk, stream, text

import memexllm


@pytest.fixture
def url() -> str:
    """One engine is enough here."""
    return "memory:"


def test_streams(client: Any, server: Server, store: memexllm.Store) -> None:
    usage = {**chunk({}), "choices": [], "usage": {"prompt_tokens": 1, "total_tokens": 2}}
    reply = stream("Hel", "lo")
    assert reply.chunks is not None
    server.say(Reply(chunks=[*reply.chunks, usage]))
    seen = ask(client, user("hi"), stream=True, stream_options={"include_usage": True})
    assert isinstance(seen, openai.Stream)
    parts = [part.choices[0].delta.content for part in seen if part.choices]
    assert parts == ["", "Hel", "lo", None]
    message = store.threads.open("t").message(2)
    assert message.body == {"role": "assistant", "content": "Hello"}
    assert message.state == "complete"
    assert message.provenance["finish_reason"] == "stop"
    assert message.provenance["usage"]["total_tokens"] == 2


def streamed_calls(finish_reason: str | None) -> Reply:
    def piece(index: int, **function: str) -> dict[str, Any]:
        return chunk({"tool_calls": [{"index": index, "function": function}]})

    chunks = [chunk({"role": "assistant", "content": None})]
    for index, call in enumerate(CALLS):
        function: Any = call["function"]
        first = {"index": index, **call, "function": {"name": function["name"], "arguments": ""}}
        chunks.append(chunk({"tool_calls": [first]}))
        for letter in function["arguments"]:
            chunks.append(piece(index, arguments=letter))
    if finish_reason is None:
        return Reply(chunks=chunks[:-1], cut=True)
    return Reply(chunks=[*chunks, chunk({}, finish_reason)])


def test_streamed_tool_calls(client: Any, server: Server, store: memexllm.Store) -> None:
    server.say(streamed_calls("tool_calls"))
    list(ask(client, user("do"), stream=True))
    message = store.threads.open("t").message(2)
    assert message.tool_calls == CALLS
    assert message.state == "complete"


def test_a_stream_that_is_cut_is_kept_as_incomplete(
    client: Any, server: Server, store: memexllm.Store
) -> None:
    server.say(stream("Hel", "lo", cut=True), text("ok"))
    parts = []
    with pytest.raises(openai.APIConnectionError):
        for part in ask(client, user("hi"), stream=True):
            parts.append(part)
    assert len(parts) == 3
    message = store.threads.open("t").message(2)
    assert (message.content, message.state) == ("Hello", "incomplete")
    assert "finish_reason" not in message.provenance
    ask(client, user("again"))
    assert server.seen[-1] == user("again")[0]


def test_half_a_tool_call_is_never_kept(client: Any, server: Server, store: memexllm.Store) -> None:
    server.say(streamed_calls(None))
    with pytest.raises(openai.APIConnectionError):
        list(ask(client, user("do"), stream=True))
    message = store.threads.open("t").message(2)
    assert message.state == "incomplete"
    assert message.body == {"role": "assistant", "content": ""}


@pytest.mark.parametrize("leave", ["close", "with", "forget"])
def test_a_stream_that_is_left_is_kept_as_incomplete(
    client: Any, server: Server, store: memexllm.Store, leave: str
) -> None:
    server.say(stream("Hel", "lo"))
    seen = ask(client, user("hi"), stream=True)
    next(seen)
    next(seen)
    if leave == "close":
        seen.close()
    elif leave == "with":
        with seen:
            pass
    del seen
    gc.collect()
    message = store.threads.open("t").message(2)
    assert (message.content, message.state) == ("Hel", "incomplete")
    assert store.threads.open("t").count() == 2


def test_the_stream_helper(client: Any, server: Server, store: memexllm.Store) -> None:
    server.say(stream("Hel", "lo"))
    with client.chat.completions.stream(
        model="gpt-test", messages=user("hi"), thread_id="t"
    ) as events:
        kinds = [event.type for event in events]
        assert events.get_final_completion().choices[0].message.content == "Hello"
    assert "content.delta" in kinds
    assert store.threads.open("t").bodies() == [
        *user("hi"),
        {"role": "assistant", "content": "Hello"},
    ]


def test_the_same_turn_after_a_cut_is_stored_once(
    caller: Caller, server: Server, store: memexllm.Store
) -> None:
    server.say(stream("Hel", cut=True), text("Hello"), text("x"))
    with pytest.raises(openai.APIConnectionError):
        caller.ask(user("hi"), stream=True)
    caller.ask(user("hi"))
    assert server.seen == user("hi")
    thread = store.threads.open("t")
    assert [(message.role, message.state) for message in thread] == [
        ("user", "complete"),
        ("assistant", "incomplete"),
        ("assistant", "complete"),
    ]
    # The whole conversation, as the caller knows it.
    caller.ask([*user("hi"), {"role": "assistant", "content": "Hello"}, *user("more")])
    assert thread.count() == 5


def test_a_left_stream_helper_stores_at_once(
    plain_caller: Caller, server: Server, store: memexllm.Store
) -> None:
    caller = plain_caller.remember(store=store)
    server.say(stream("Hel", "lo"))
    manager = caller.client.chat.completions.stream(
        model="gpt-test", messages=user("hi"), thread_id="t"
    )

    async def leave_async() -> Any:
        async with manager as events:
            async for event in events:
                if event.type == "content.delta" and event.delta:
                    break
        return events

    def leave() -> Any:
        with manager as events:
            for event in events:
                if event.type == "content.delta" and event.delta:
                    break
        return events

    events = caller.run(leave_async() if hasattr(caller, "loop") else leave())
    message = stored(store)
    assert (message.content, message.state) == ("Hel", "incomplete")
    del events
