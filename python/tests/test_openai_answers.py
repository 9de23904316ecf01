"""The integration with the OpenAI SDK: answers that fail, that are none, or that are cut."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai_clients import CALLS, RESULTS, Caller, ask, user
from openai_server import Reply, Server, chunk, completion, error, text
from pydantic import BaseModel

import memexllm
from memexllm import errors


@pytest.fixture
def url() -> str:
    """One engine is enough here."""
    return "memory:"


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


@pytest.mark.parametrize("reason", [None, ""])
def test_an_answer_without_a_finish_reason_is_whole(
    caller: Caller, server: Server, store: memexllm.Store, reason: Any
) -> None:
    server.say(completion({"content": "Hello"}, finish_reason=reason), text("ok"))
    caller.ask(user("hi"))
    assert store.threads.open("t").message(2).state == "complete"
    caller.ask(user("and"))
    assert server.seen[1] == {"role": "assistant", "content": "Hello"}


def half(arguments: str) -> list[dict[str, Any]]:
    last: Any = CALLS[1]
    return [CALLS[0], {**last, "function": {"name": "g", "arguments": arguments}}]


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("reason", ["length", "content_filter", "stop", "tool_calls"])
@pytest.mark.parametrize("arguments", ["", '{"a": "b', '{"a": ', '{"a" 1}', "{}"])
def test_half_a_call_is_never_sent_again(  # pylint: disable=too-many-arguments
    *,
    caller: Caller,
    server: Server,
    store: memexllm.Store,
    streamed: bool,
    reason: str,
    arguments: str,
) -> None:
    calls = half(arguments)
    if streamed:
        pieces = [chunk({"tool_calls": [{"index": at, **call}]}) for at, call in enumerate(calls)]
        server.say(Reply(chunks=[*pieces, chunk({}, reason)]))
    else:
        server.say(completion({"tool_calls": calls}, finish_reason=reason))
    caller.ask(user("do"), stream=streamed)
    message = store.threads.open("t").message(2)
    assert message.provenance["finish_reason"] == reason
    cut = reason in ("length", "content_filter") and arguments != "{}"
    # Some servers say that the model ended by itself.
    if cut or arguments in ('{"a": "b', '{"a": '):
        assert (message.state, message.tool_calls) == ("incomplete", [])
        assert message.provenance["cut_off"] == {"tool_calls": calls}
        with pytest.raises(errors.InvalidError, match="answers no call"):
            caller.ask(RESULTS)
        server.say(text("ok"))
        caller.ask(user("go on"))
        assert server.seen == [*user("do"), *user("go on")]
    else:
        # What the model ended by itself is what it wrote, right or wrong.
        assert (message.state, message.tool_calls) == ("complete", calls)


def test_a_cut_text_is_an_answer(caller: Caller, server: Server, store: memexllm.Store) -> None:
    server.say(completion({"content": "Once upon"}, finish_reason="length"))
    caller.ask(user("tell"))
    message = store.threads.open("t").message(2)
    assert (message.content, message.state) == ("Once upon", "complete")


def test_other_kinds_of_half_calls(caller: Caller, server: Server, store: memexllm.Store) -> None:
    custom = {"id": "c", "type": "custom", "custom": {"name": "sh", "input": "ls -"}}
    server.say(
        completion({"tool_calls": [custom]}, finish_reason="length"),
        completion({"function_call": {"name": "f", "arguments": "{"}}, finish_reason="length"),
        completion({"tool_calls": [custom]}, finish_reason="tool_calls"),
    )
    for thread_id, state in (("a", "incomplete"), ("b", "incomplete"), ("c", "complete")):
        caller.ask(user("do"), thread_id)
        assert store.threads.open(thread_id).message(2).state == state


ODD = [
    Reply(raw=("text/html", b"<p>sorry</p>")),
    Reply(raw=("text/plain", b"")),
    Reply(raw=("application/json", b"")),
    Reply(raw=("application/json", b"{")),
    Reply(document=[1, 2]),
    Reply(document="text"),
    Reply(document=None, raw=("application/json", b"null")),
    Reply(document={}),
    Reply(document={"error": {"message": "m"}}),
    Reply(document={"choices": None}),
    Reply(document={"choices": "x"}),
    Reply(document={"choices": [None, 7]}),
    Reply(document={"choices": [{"index": 0, "message": None}]}),
    Reply(document={"choices": [{"index": 0, "message": {}}]}),
]


def outcome(caller: Caller, call: Any, method: str) -> Any:
    """What a call gives or raises, to compare."""
    try:
        answer = caller.run(call())
        if method == "raw":
            answer = answer.parse()
    except Exception as problem:  # pylint: disable=broad-except
        return type(problem), str(problem)
    return answer


@pytest.mark.parametrize("method", ["create", "raw", "parse"])
@pytest.mark.parametrize("reply", ODD, ids=range(len(ODD)))
def test_what_is_no_completion_passes(
    plain_caller: Caller, server: Server, store: memexllm.Store, reply: Reply, method: str
) -> None:
    def call(**options: Any) -> Any:
        completions = plain_caller.client.chat.completions
        if method == "raw":
            completions = completions.with_raw_response
        function = completions.parse if method == "parse" else completions.create
        return lambda: function(model="gpt-test", messages=user("hi"), **options)

    server.say(reply, reply, text("ok"))
    wanted = outcome(plain_caller, call(), method)
    plain_caller.remember(store=store)
    assert outcome(plain_caller, call(thread_id="t"), method) == wanted
    thread = store.threads.open("t")
    assert thread.bodies() == user("hi")
    plain_caller.ask(user("hi"))
    assert server.seen == user("hi")
    assert thread.count() == 2


def test_an_answer_with_a_long_provenance_is_kept(
    caller: Caller, server: Server, store: memexllm.Store
) -> None:
    server.say(completion({"content": "one"}, {"content": "x" * 1_100_000}))
    caller.ask(user("hi"), n=2)
    message = store.threads.open("t").message(2)
    assert message.content == "one"
    assert message.provenance["shortened"] is True
    assert message.provenance["finish_reason"] == "stop"


DEEP: Any = None
for _ in range(120):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "facts",
    [
        {"id": "i" * 2_000_000},
        {"model": "m" * 2_000_000, "id": "\ud83d" * 400_000},
        {"usage": {"prompt_tokens": 1, "extra": "u" * 2_000_000}},
        {"usage": {"k" * 2_000_000: 1}},
        {"usage": DEEP, "more": [DEEP] * 5_000},
        {"id": ["i" * 1_100_000], "model": {"name": "m" * 1_100_000}},
        {"system_fingerprint": "f" * 2_000_000},
    ],
    ids=range(7),
)
def test_whatever_is_long_in_a_provenance_the_answer_is_kept(
    caller: Caller, server: Server, store: memexllm.Store, facts: dict[str, Any]
) -> None:
    reply = text("precious")
    reply.document.update(facts)
    server.say(reply)
    caller.ask(user("hi"))
    message = store.threads.open("t").message(2)
    assert (message.content, message.state) == ("precious", "complete")
    assert message.provenance["shortened"] is True
    assert message.provenance["source"] == "openai"
    assert message.provenance["finish_reason"] == "stop"
    for name, value in facts.items():
        if isinstance(value, str) and name in ("id", "model"):
            assert len(message.provenance[name]) == 1_000
