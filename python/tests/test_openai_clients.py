"""The integration with the OpenAI SDK: every way to chat.completions of a client."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai_clients import AsyncCaller, Caller, user
from openai_server import Server, stream, text
from pydantic import BaseModel

import memexllm
from memexllm import errors
from memexllm.integrations.openai import with_history


class Answer(BaseModel):
    """What the model is to answer with."""

    number: int


@pytest.fixture
def url() -> str:
    """One engine is enough here."""
    return "memory:"


WAYS: dict[str, Callable[[Any], Any]] = {
    "client": lambda client: client,
    "copy": lambda client: client.copy(),
    "with_options": lambda client: client.with_options(timeout=10),
    "options of options": lambda client: client.with_options(timeout=10).with_options(timeout=5),
    "options after use": lambda client: (client.chat, client.beta, client.copy(max_retries=0))[2],
    "beta": lambda client: client.beta,
    "beta of options": lambda client: client.with_options(timeout=10).beta,
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_remembers(
    caller: Caller, server: Server, store: memexllm.Store, way: str
) -> None:
    completions = WAYS[way](caller.client).chat.completions
    options: dict[str, Any] = {"model": "gpt-test", "thread_id": "t"}
    server.say(text("a"), text('{"number": 7}'), text("c"), text('{"number": 8}'), stream("e"))

    caller.run(completions.create(messages=user("1"), **options))
    found = caller.run(completions.parse(messages=user("2"), response_format=Answer, **options))
    assert found.choices[0].message.parsed == Answer(number=7)
    raw = caller.run(completions.with_raw_response.create(messages=user("3"), **options))
    assert raw.parse().choices[0].message.content == "c"
    raw = caller.run(
        completions.with_raw_response.parse(messages=user("4"), response_format=Answer, **options)
    )
    assert raw.parse().choices[0].message.parsed == Answer(number=8)
    events = completions.stream(messages=user("5"), **options)

    async def read_async() -> None:
        async with events as opened:
            await opened.until_done()

    def read() -> Any:
        with events as opened:
            return opened.until_done()

    caller.run(read_async() if isinstance(caller, AsyncCaller) else read())
    contents = [body["content"] for body in store.threads.open("t").bodies()]
    assert contents == ["1", "a", "2", '{"number": 7}', "3", "c", "4", '{"number": 8}', "5", "e"]
    assert [body["content"] for body in server.seen] == contents[:-1]


@pytest.mark.parametrize("made_before", [True, False])
def test_raw_views_of_the_client_remember(
    plain_caller: Caller, server: Server, store: memexllm.Store, made_before: bool
) -> None:
    client = plain_caller.client
    if made_before:
        for view in (client, client.chat, client.chat.completions, client.beta.chat):
            assert view.with_raw_response and view.with_streaming_response
    plain_caller.remember(store=store)
    views = (
        client.with_raw_response.chat.completions,
        client.chat.with_raw_response.completions,
        client.chat.completions.with_raw_response,
        client.beta.chat.with_raw_response.completions,
    )
    for number, view in enumerate(views):
        server.say(text(str(number)))
        plain_caller.run(view.create(model="gpt-test", messages=user("q"), thread_id="t"))
    assert store.threads.open("t").count() == 2 * len(views)
    assert len(server.seen) == 2 * len(views) - 1


@pytest.mark.parametrize("way", ["client", "with_options", "beta"])
def test_what_cannot_be_kept_says_so(
    caller: Caller, server: Server, store: memexllm.Store, way: str
) -> None:
    completions = WAYS[way](caller.client).chat.completions
    options: dict[str, Any] = {"model": "gpt-test", "messages": user("q")}

    async def open_async() -> None:
        async with completions.with_streaming_response.create(**options):
            pass

    def open_() -> Any:
        with completions.with_streaming_response.create(**options) as opened:
            return opened

    with pytest.raises(errors.UnsupportedError, match=r"use create\(stream=True\)"):
        caller.run(open_async() if isinstance(caller, AsyncCaller) else open_())
    with pytest.raises(errors.UnsupportedError, match=r"use create\(stream=True\)"):
        caller.run(completions.with_raw_response.create(stream=True, **options))
    assert not server.requests
    assert not list(store.threads.list())


def test_a_copy_has_one_history(caller: Caller, server: Server, store: memexllm.Store) -> None:
    copied = caller.client.with_options(timeout=10)
    with pytest.raises(errors.InvalidError, match="already"):
        with_history(store=store)(copied)
    assert copied.timeout == 10
    assert isinstance(copied, type(caller.client))
    server.say(text("a"))
    Caller.ask(caller, user("x"))
    assert store.threads.open("t").count() == 2


def test_azure_clients(server: Server, store: memexllm.Store) -> None:
    # With a deployment in the URL the SDK leaves the path as it is.
    with openai.AzureOpenAI(
        api_key="k", api_version="2025-01-01", base_url=f"{server.url}/deployments/x", max_retries=0
    ) as client:
        remembering: Any = with_history(store=store)(client).with_options(timeout=10)
        server.say(text("a"), text("b"))
        for question in "12":
            remembering.chat.completions.create(  # pylint: disable=unexpected-keyword-arg
                model="gpt-test", messages=user(question), thread_id="t"
            )
    assert [body["content"] for body in server.seen] == ["1", "a", "2"]


def test_beta_is_loaded_when_it_is_used(plain_client: openai.OpenAI, store: memexllm.Store) -> None:
    client = with_history(store=store)(plain_client)
    assert type(vars(client)["beta"]).__module__.startswith("memexllm")
    completions = client.beta.chat.completions
    assert completions is client.beta.chat.completions
    assert isinstance(client.beta, openai.resources.Beta)
    with pytest.raises(AttributeError):
        client.beta.nothing  # type: ignore[attr-defined]  # pylint: disable=pointless-statement


@pytest.mark.parametrize("kind", ["id", "thread", "async"])
def test_a_thread_may_be_given(
    caller: Caller, server: Server, store: memexllm.Store, kind: str
) -> None:
    thread = store.threads.create()
    given: Any = {"id": thread.id, "thread": thread}.get(kind)
    if kind == "async":
        given = type("AsyncThread", (), {"sync": thread})()
    server.say(text("a"))
    caller.ask(user("x"), given)
    assert thread.count() == 2
    thread.delete()
    if kind != "id":
        with pytest.raises(errors.NotFoundError):
            caller.ask(user("x"), given)
