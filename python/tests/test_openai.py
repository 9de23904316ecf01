"""The integration with the OpenAI SDK, against a server of ours: conversations."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai_clients import CALLS, RESULTS, ask, user
from openai_server import Server, completion, text

import memexllm
from memexllm import errors
from memexllm.integrations._messages import sendable
from memexllm.integrations.openai import with_history


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


@pytest.mark.parametrize(
    ("options", "kind", "name"),
    [
        ({"store": "sqlite:///x.db"}, TypeError, "store"),
        ({"store": ""}, TypeError, "store"),
        ({"store": 0}, TypeError, "store"),
        ({"store": object()}, TypeError, "store"),
        ({"storage": "memory:"}, TypeError, "store"),
        ({"history_manager": "memory:"}, TypeError, "history_manager"),
        ({"max_tokens": "5"}, TypeError, "max_tokens"),
        ({"max_tokens": True}, TypeError, "max_tokens"),
        ({"max_tokens": 1.5}, TypeError, "max_tokens"),
        ({"max_tokens": 0}, errors.InvalidError, "max_tokens"),
        ({"max_tokens": 2**70}, errors.InvalidError, "max_tokens"),
        ({"strategy": "fifo"}, TypeError, "strategy"),
        ({"strategy": 5}, TypeError, "strategy"),
        ({"strategy": False}, TypeError, "strategy"),
        ({"strategy": [5]}, TypeError, "pipeline"),
        ({"strategy": []}, errors.InvalidError, "pipeline"),
        ({"strategy": {}}, errors.InvalidError, "type"),
        ({"strategy": {"type": "fifo", "last": 0}}, errors.InvalidError, "last"),
        ({"strategy": {"type": "nope"}}, errors.NotFoundError, "nope|no such step"),
        ({"algorithm": "fifo"}, TypeError, "strategy"),
    ],
)
def test_wrong_arguments_are_found_at_once(
    store: memexllm.Store, options: dict[str, Any], kind: type[Exception], name: str
) -> None:
    given = options if {"store", "storage"} & set(options) else {"store": store, **options}
    with pytest.raises(kind, match=name):
        with_history(**given)


def test_a_closed_strategy_is_found_at_once(store: memexllm.Store) -> None:
    strategy = memexllm.context.Strategy({"type": "fifo", "last": 1})
    with_history(store=store, strategy=strategy)
    strategy.close()
    with pytest.raises(errors.ClosedError):
        with_history(store=store, strategy=strategy)


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
