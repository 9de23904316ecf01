"""The integration with the OpenAI SDK, against a server of ours on this machine."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai_server import Reply, Server, chunk, completion, error, serve, stream, text
from pydantic import BaseModel

import memexllm
from memexllm import errors, strategies
from memexllm.integrations._turns import sendable
from memexllm.integrations.openai import with_history

CALLS = [
    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}},
    {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
]
RESULTS = [
    {"role": "tool", "tool_call_id": "c1", "content": "one"},
    {"role": "tool", "tool_call_id": "c2", "content": "two"},
]


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.fixture
def plain_client(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="k", base_url=server.url, max_retries=2) as client:
        yield client


@pytest.fixture
def client(plain_client: openai.OpenAI, store: memexllm.Store) -> Any:
    return with_history(store=store)(plain_client)


def user(content: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content}]


def ask(client: Any, messages: Any, thread_id: str | None = "t", **options: Any) -> Any:
    return client.chat.completions.create(
        model="gpt-test", messages=messages, thread_id=thread_id, **options
    )


def test_a_conversation(client: Any, server: Server, store: memexllm.Store) -> None:
    server.say(text("Hello, Alice."), text("Alice."))
    answer = ask(client, user("I am Alice."))
    assert answer.choices[0].message.content == "Hello, Alice."
    ask(client, user("Who am I?"))
    assert server.seen == [
        *user("I am Alice."),
        {"role": "assistant", "content": "Hello, Alice."},
        *user("Who am I?"),
    ]
    thread = store.threads.open("t")
    assert thread.bodies() == [*server.seen, {"role": "assistant", "content": "Alice."}]
    said = thread.message(2)
    assert said.provenance["source"] == "openai"
    assert said.provenance["model"] == "gpt-test-2025"
    assert said.provenance["finish_reason"] == "stop"
    assert said.provenance["usage"]["total_tokens"] == 12
    assert thread.message(1).provenance == {"source": "input"}


def test_without_a_thread_id_a_thread_is_made(
    client: Any, server: Server, store: memexllm.Store
) -> None:
    server.say(text("x"), text("y"))
    ask(client, user("1"), None)
    ask(client, user("2"), None)
    assert len(list(store.threads.list())) == 2


def test_threads_are_apart(client: Any, server: Server) -> None:
    server.say(text("x"), text("y"))
    ask(client, user("1"), "one")
    ask(client, user("2"), "two")
    assert server.seen == user("2")


def test_the_whole_conversation_may_be_sent(
    client: Any, server: Server, store: memexllm.Store
) -> None:
    server.say(text("a1"), text("a2"), text("a3"))
    conversation: list[Any] = [{"role": "system", "content": "S"}, *user("q1")]
    conversation.append(ask(client, conversation).choices[0].message)
    conversation += user("q2")
    conversation.append(ask(client, conversation).choices[0].message.model_dump())
    conversation += user("q1")
    ask(client, conversation)
    contents = [body["content"] for body in store.threads.open("t").bodies()]
    assert contents == ["S", "q1", "a1", "q2", "a2", "q1", "a3"]
    assert [body["content"] for body in server.seen] == contents[:-1]


def test_the_same_words_are_kept_twice(client: Any, server: Server, store: memexllm.Store) -> None:
    server.say(text("ok"), text("ok"))
    ask(client, user("yes"))
    ask(client, user("yes"))
    contents = [body["content"] for body in store.threads.open("t").bodies()]
    assert contents == ["yes", "ok", "yes", "ok"]


def test_system_messages(client: Any, server: Server, store: memexllm.Store) -> None:
    server.say(text("a"), text("b"), text("c"), text("d"))
    nice = {"role": "system", "content": "Be nice."}
    nicer = {"role": "system", "content": "Be nicer."}
    ask(client, [nice, *user("1")])
    ask(client, [nice, *user("2")])
    assert [body["role"] for body in server.seen] == ["system", "user", "assistant", "user"]
    ask(client, [nicer, *user("3")])
    assert nice not in server.seen and nicer in server.seen
    ask(client, user("4"))
    assert nicer in server.seen
    stored = store.threads.open("t").bodies()
    assert [body for body in stored if body["role"] == "system"] == [nice, nicer]


def test_tool_calls_are_kept_whole(client: Any, server: Server, store: memexllm.Store) -> None:
    server.say(
        completion({"content": None, "tool_calls": CALLS}, finish_reason="tool_calls"),
        text("done"),
    )
    ask(client, user("do"), tools=[{"type": "function", "function": {"name": "f"}}])
    ask(client, RESULTS)
    call = store.threads.open("t").message(2)
    assert call.tool_calls == CALLS
    assert [body["role"] for body in server.seen] == ["user", "assistant", "tool", "tool"]
    assert server.seen[1]["tool_calls"] == CALLS
    assert "annotations" not in server.seen[1] and "refusal" not in server.seen[1]


def test_parts_are_kept_whole(client: Any, server: Server, store: memexllm.Store) -> None:
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    ]
    server.say(text("A picture."), text("Yes."))
    ask(client, user(parts))
    ask(client, user("Sure?"))
    assert server.seen[0] == {"role": "user", "content": parts}
    assert store.threads.open("t").message(1).content == parts


def test_audio_answers_are_sent_back_by_id(
    client: Any, server: Server, store: memexllm.Store
) -> None:
    audio = {"id": "audio_1", "data": "AA==", "expires_at": 1, "transcript": "Hi"}
    server.say(completion({"content": None, "audio": audio}))
    ask(client, user("speak"))
    body = store.threads.open("t").message(2).body
    assert body["audio"] == audio
    assert sendable(body) == {"role": "assistant", "audio": {"id": "audio_1"}}


def test_of_several_choices_the_first_is_kept(
    client: Any, server: Server, store: memexllm.Store
) -> None:
    server.say(completion({"content": "one"}, {"content": "two"}))
    ask(client, user("x"), n=2)
    thread = store.threads.open("t")
    assert thread.bodies()[1:] == [{"role": "assistant", "content": "one"}]
    others = thread.message(2).provenance["other_choices"]
    assert [other["message"]["content"] for other in others] == ["two"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, openai.BadRequestError), (401, openai.AuthenticationError)],
)
def test_errors_of_the_sdk_pass(
    client: Any, server: Server, store: memexllm.Store, status: int, kind: type[Exception]
) -> None:
    server.say(error(status), text("ok"))
    with pytest.raises(kind):
        ask(client, user("x"))
    assert len(server.requests) == 1
    thread = store.threads.open("t")
    assert thread.bodies() == user("x")
    # The same call again is the same turn: its input is there already.
    ask(client, user("x"))
    assert server.seen == user("x")
    assert [message.role for message in thread.messages()] == ["user", "assistant"]


def test_retries_of_the_sdk_store_nothing_twice(
    client: Any, server: Server, store: memexllm.Store
) -> None:
    server.say(error(429, retry_after_ms="1"), error(500, retry_after_ms="1"), text("ok"))
    ask(client, user("x"))
    assert len(server.requests) == 3
    contents = [body["content"] for body in store.threads.open("t").bodies()]
    assert contents == ["x", "ok"]
    server.say(*[error(500, retry_after_ms="1")] * 3)
    with pytest.raises(openai.InternalServerError):
        ask(client, user("y"))
    assert store.threads.open("t").count() == 3


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


class Answer(BaseModel):
    """What the model is to answer with."""

    number: int


def test_parse(client: Any, server: Server, store: memexllm.Store) -> None:
    server.say(text('{"number": 7}'), text("x"))
    found = client.chat.completions.parse(
        model="gpt-test", messages=user("hi"), response_format=Answer, thread_id="t"
    )
    assert found.choices[0].message.parsed == Answer(number=7)
    assert store.threads.open("t").message(2).body == {
        "role": "assistant",
        "content": '{"number": 7}',
    }


def test_raw_responses(client: Any, server: Server, store: memexllm.Store) -> None:
    server.say(text("ok"))
    raw = client.chat.completions.with_raw_response.create(
        model="gpt-test", messages=user("hi"), thread_id="t"
    )
    assert raw.headers["content-type"] == "application/json"
    assert raw.parse().choices[0].message.content == "ok"
    assert store.threads.open("t").count() == 2
    with pytest.raises(errors.UnsupportedError):
        with client.chat.completions.with_streaming_response.create(
            model="gpt-test", messages=user("hi"), thread_id="t"
        ):
            pass
    assert store.threads.open("t").count() == 2


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


def test_names_of_the_first_version(plain_client: openai.OpenAI, server: Server) -> None:
    storage = memexllm.storage.MemoryStorage()
    manager = memexllm.history.HistoryManager(storage, memexllm.algorithms.FIFOAlgorithm(5))
    client = with_history(history_manager=manager)(plain_client)
    server.say(text("ok"))
    ask(client, user("hi"), "t")
    assert [message.content for message in manager.get_messages("t")] == ["hi", "ok"]


def test_misuse(plain_client: openai.OpenAI, store: memexllm.Store) -> None:
    with pytest.raises(errors.InvalidError):
        with_history()
    with pytest.raises(errors.InvalidError):
        with_history(store=store)(object())
    with_history(store=store)(plain_client)
    with pytest.raises(errors.InvalidError, match="already"):
        with_history(store=store)(plain_client)


def test_an_answer_that_cannot_be_stored_is_not_lost(
    client: Any, server: Server, store: memexllm.Store
) -> None:
    def close_then_answer(request: dict[str, Any]) -> Reply:
        server.requests.append(request)
        store.close()
        return text("precious")

    server.answer = close_then_answer  # type: ignore[method-assign]
    with pytest.raises(errors.ClosedError) as caught:
        ask(client, user("x"))
    assert caught.value.details["completion"].choices[0].message.content == "precious"


def test_a_prompt_of_several_messages(client: Any, server: Server, store: memexllm.Store) -> None:
    server.say(text("a"), text("b"), text("c"))
    prompt = [{"role": "system", "content": "One."}, {"role": "developer", "content": "Two."}]
    ask(client, [*prompt, *user("1")])
    ask(client, [*prompt, *user("2")])
    assert server.seen[:2] == prompt
    assert store.threads.open("t").count() == 6
    ask(client, [prompt[1], *user("3")])
    assert [body for body in server.seen if body["role"] != "user"][-1] == prompt[1]
    assert prompt[0] not in server.seen
