"""The integration with the OpenAI SDK for asyncio: what differs from the sync client."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import openai
import pytest
from openai_server import Server, completion, error, serve, stream, text

import memexllm
from memexllm.integrations.openai import with_history

HI = [{"role": "user", "content": "hi"}]


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.fixture
async def client(server: Server, store: memexllm.Store) -> AsyncIterator[Any]:
    async with openai.AsyncOpenAI(api_key="k", base_url=server.url, max_retries=2) as plain:
        yield with_history(store=store)(plain)


async def ask(client: Any, messages: Any = None, **options: Any) -> Any:
    return await client.chat.completions.create(
        model="gpt-test", messages=messages or HI, thread_id="t", **options
    )


async def test_a_conversation(client: Any, server: Server, store: memexllm.Store) -> None:
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    result = {"role": "tool", "tool_call_id": "c", "content": "1"}
    server.say(
        completion({"content": None, "tool_calls": calls}, finish_reason="tool_calls"),
        error(500, retry_after_ms="1"),
        text("done"),
    )
    await ask(client)
    answer = await ask(client, [result])
    assert answer.choices[0].message.content == "done"
    assert store.threads.open("t").bodies() == [
        *HI,
        {"role": "assistant", "tool_calls": calls},
        result,
        {"role": "assistant", "content": "done"},
    ]


async def test_errors_pass(client: Any, server: Server, store: memexllm.Store) -> None:
    server.say(error(401))
    with pytest.raises(openai.AuthenticationError):
        await ask(client)
    assert store.threads.open("t").bodies() == HI


async def test_streams(client: Any, server: Server, store: memexllm.Store) -> None:
    server.say(stream("Hel", "lo"))
    seen = await ask(client, stream=True)
    assert isinstance(seen, openai.AsyncStream)
    parts = [part.choices[0].delta.content async for part in seen]
    assert parts == ["", "Hel", "lo", None]
    message = store.threads.open("t").message(2)
    assert (message.content, message.state) == ("Hello", "complete")


async def test_a_cut_stream(client: Any, server: Server, store: memexllm.Store) -> None:
    server.say(stream("Hel", "lo", cut=True))
    with pytest.raises(openai.APIConnectionError):
        async for _ in await ask(client, stream=True):
            pass
    message = store.threads.open("t").message(2)
    assert (message.content, message.state) == ("Hello", "incomplete")


@pytest.mark.parametrize("leave", ["close", "with", "cancel"])
async def test_a_stream_that_is_left(
    client: Any, server: Server, store: memexllm.Store, leave: str
) -> None:
    server.say(stream("Hel", "lo"))
    seen = await ask(client, stream=True)
    await anext(seen)
    await anext(seen)
    if leave == "close":
        await seen.close()
    elif leave == "with":
        async with seen:
            pass
    else:
        reading = asyncio.ensure_future(_hang_after_one(seen))
        await asyncio.sleep(0.05)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await seen.close()
    thread = store.threads.open("t")
    expected = "Hello" if leave == "cancel" else "Hel"
    assert (thread.message(2).content, thread.message(2).state) == (expected, "incomplete")
    assert thread.count() == 2


async def _hang_after_one(seen: Any) -> None:
    await anext(seen)
    await asyncio.sleep(60)


async def test_the_stream_helper(client: Any, server: Server, store: memexllm.Store) -> None:
    server.say(stream("Hel", "lo"))
    async with client.chat.completions.stream(
        model="gpt-test", messages=HI, thread_id="t"
    ) as events:
        kinds = [event.type async for event in events]
    assert "content.delta" in kinds
    assert store.threads.open("t").message(2).content == "Hello"


async def test_raw_responses(client: Any, server: Server, store: memexllm.Store) -> None:
    server.say(text("ok"))
    raw = await client.chat.completions.with_raw_response.create(
        model="gpt-test", messages=HI, thread_id="t"
    )
    assert raw.parse().choices[0].message.content == "ok"
    assert store.threads.open("t").count() == 2


async def test_a_store_for_asyncio(server: Server, file_url: str) -> None:
    async with memexllm.aio.open(file_url) as store:
        async with openai.AsyncOpenAI(api_key="k", base_url=server.url) as plain:
            client = with_history(store=store)(plain)
            server.say(*[text(str(number)) for number in range(8)])
            await asyncio.gather(
                *[
                    client.chat.completions.create(  # type: ignore[call-overload]
                        model="gpt-test", messages=HI, thread_id=f"t{number}"
                    )
                    for number in range(8)
                ]
            )
        counts = [await thread.count() async for thread in store.threads.list()]
        assert counts == [2] * 8
