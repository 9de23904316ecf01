"""Clients of the OpenAI SDK for tests, sync and async, behind one face."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai

import memexllm
from memexllm.integrations.openai import with_history

CALLS = [
    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
    {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
]
RESULTS = [
    {"role": "tool", "tool_call_id": "c1", "content": "one"},
    {"role": "tool", "tool_call_id": "c2", "content": "two"},
]


def user(content: Any) -> list[dict[str, Any]]:
    """A new turn of one message."""
    return [{"role": "user", "content": content}]


def ask(client: Any, messages: Any, thread_id: Any = "t", **options: Any) -> Any:
    """A call of a sync client in a thread."""
    return client.chat.completions.create(
        model="gpt-test", messages=messages, thread_id=thread_id, **options
    )


def bodies(store: memexllm.Store) -> list[dict[str, Any]]:
    """All that is stored of the thread; nothing when there is none."""
    thread = store.threads.get("t")
    return thread.bodies() if thread else []


def stored(store: memexllm.Store) -> memexllm.Message:
    """The answer of a conversation of one turn."""
    thread = store.threads.open("t")
    assert thread.count() == 2
    return thread.message(2)


class Caller:
    """Calls a client, whichever it is, and reads a stream to its end.

    Attributes:
        client: The client of the SDK.
    """

    def __init__(self, client: Any) -> None:
        self.client = client

    def run(self, value: Any) -> Any:
        """What a method of the client gives."""
        return value

    def read(self, stream: Any) -> list[Any]:
        """All that a stream yields."""
        return list(stream)

    def remember(self, **options: Any) -> Caller:
        """Gives the client a history."""
        with_history(**options)(self.client)
        return self

    def ask(self, messages: Any, thread_id: Any = "t", **options: Any) -> Any:
        """A call in a thread; of a stream the list of its chunks."""
        answer = self.run(ask(self.client, messages, thread_id, **options))
        return self.read(answer) if options.get("stream") else answer


class AsyncCaller(Caller):
    """The same for an async client."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.loop = asyncio.new_event_loop()

    def run(self, value: Any) -> Any:
        return self.loop.run_until_complete(value)

    def read(self, stream: Any) -> list[Any]:
        async def collect() -> list[Any]:
            return [piece async for piece in stream]

        return list(self.run(collect()))


@contextmanager
def calling(kind: str, url: str) -> Iterator[Caller]:
    """A caller of kind "sync" or "async" for the length of a block."""
    options: dict[str, Any] = {"api_key": "k", "base_url": url, "max_retries": 2}
    if kind == "sync":
        with openai.OpenAI(**options) as client:
            yield Caller(client)
        return
    caller = AsyncCaller(openai.AsyncOpenAI(**options))
    try:
        yield caller
    finally:
        caller.run(caller.client.close())
        caller.run(caller.loop.shutdown_asyncgens())
        caller.run(caller.loop.shutdown_default_executor())
        caller.loop.close()
