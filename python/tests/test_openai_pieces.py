"""The integration with the OpenAI SDK: what servers do to the pieces of a stream."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

import json
from typing import Any

import pytest
from openai_clients import CALLS, RESULTS, Caller, stored, user
from openai_server import Reply, Server, chunk, completion, stream, text

import memexllm


@pytest.fixture
def url() -> str:
    """One engine is enough here."""
    return "memory:"


def call_piece(index: int = 0, **fields: Any) -> dict[str, Any]:
    function = {name: fields.pop(name) for name in ("name", "arguments") if name in fields}
    return chunk({"tool_calls": [{"index": index, **fields, "function": function}]})


def test_what_a_server_says_again_is_not_said_twice(
    caller: Caller, server: Server, store: memexllm.Store
) -> None:
    chunks = [
        chunk({"role": "assistant", "content": None}),
        call_piece(id="c1", type="function", name="f", arguments=""),
        call_piece(id="", type="", name="f", arguments='{"a"'),
        call_piece(id="c1", type="function", name="", arguments=": 1}"),
        chunk({"role": "", "content": ""}),
        call_piece(1, id="c2", type="function", name="g"),
        call_piece(1, id="made-up", arguments="{}"),
    ]
    server.say(Reply(chunks=[*chunks, chunk({"role": "assistant"}, "tool_calls")]))
    caller.ask(user("do"), stream=True)
    message = stored(store)
    assert message.tool_calls == CALLS
    assert (message.role, message.state) == ("assistant", "complete")


def test_parallel_calls_of_one_index(caller: Caller, server: Server, store: memexllm.Store) -> None:
    functions: list[Any] = [call["function"] for call in CALLS]
    whole = [{"id": call["id"], **function} for call, function in zip(CALLS, functions)]
    server.say(Reply(chunks=[*[call_piece(**call) for call in whole], chunk({}, "tool_calls")]))
    caller.ask(user("do"), stream=True)
    # This server left the type out, too: a request wants it.
    assert stored(store).tool_calls == CALLS


def interleaved(
    *, index: int | None, named: bool, kind: str, text_name: str, begun: bool
) -> list[dict[str, Any]]:
    """Two calls, a piece of each in turn, with the id in every piece."""
    pieces = []
    texts = ['{"a": 1}', "{}"]
    for start in range(-1 if begun else 0, 4):
        for call_id, name, whole in zip(("c1", "c2"), "fg", texts):
            part = whole[start * 2 : start * 2 + 2] if start >= 0 else ""
            function = {text_name: part}
            piece: dict[str, Any] = {"id": call_id, kind: function}
            if index is not None:
                piece["index"] = index
            if named or not pieces or len(pieces) == 1:
                function["name"] = name
                piece["type"] = kind
            pieces.append(chunk({"tool_calls": [piece]}))
    return pieces


@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize("kind", ["function", "custom"])
@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("index", [0, None])
def test_pieces_of_calls_are_joined_by_id(  # pylint: disable=too-many-arguments
    *,
    caller: Caller,
    server: Server,
    store: memexllm.Store,
    index: int | None,
    named: bool,
    kind: str,
    begun: bool,
) -> None:
    text_name = "arguments" if kind == "function" else "input"
    chunks = interleaved(index=index, named=named, kind=kind, text_name=text_name, begun=begun)
    server.say(Reply(chunks=[*chunks, chunk({}, "tool_calls")]), text("done"))
    caller.ask(user("do"), stream=True)
    calls = [
        {"id": "c1", "type": kind, kind: {"name": "f", text_name: '{"a": 1}'}},
        {"id": "c2", "type": kind, kind: {"name": "g", text_name: "{}"}},
    ]
    message = stored(store)
    assert (message.tool_calls, message.state) == (calls, "complete")
    caller.ask(RESULTS)
    assert server.seen[1]["tool_calls"] == calls


def test_pieces_without_an_id_belong_to_the_last_call(
    caller: Caller, server: Server, store: memexllm.Store
) -> None:
    chunks = [
        call_piece(id="c1", type="function", name="f", arguments=""),
        call_piece(id="c1", arguments='{"a"'),
        call_piece(arguments=": 1}"),
        call_piece(id="c2", type="function", name="g", arguments="{"),
        call_piece(arguments="}"),
    ]
    server.say(Reply(chunks=[*chunks, chunk({}, "tool_calls")]))
    caller.ask(user("do"), stream=True)
    assert stored(store).tool_calls == CALLS


@pytest.mark.parametrize("first", [{"role": ""}, {"content": ""}, {}])
def test_an_answer_without_a_role(
    caller: Caller, server: Server, store: memexllm.Store, first: dict[str, Any]
) -> None:
    server.say(Reply(chunks=[chunk(first), chunk({"content": "Hi"}), chunk({"role": ""}, "stop")]))
    caller.ask(user("hi"), stream=True)
    assert stored(store).body == {"role": "assistant", "content": "Hi"}
    server.say(completion({"role": "", "content": "again"}))
    caller.ask(user("hi"))
    assert store.threads.open("t").message(4).role == "assistant"


def test_a_character_that_is_split(caller: Caller, server: Server, store: memexllm.Store) -> None:
    server.say(stream("a\ud83d", "\ude00b"), text("ok"))
    caller.ask(user("hi"), stream=True)
    message = stored(store)
    assert message.body == {"role": "assistant", "content": "a\U0001f600b"}
    assert "original" not in message.provenance
    caller.ask(user("and"))
    assert server.seen[1] == message.body


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("content", ["\ud83d", "a\ud83d b", "\ude00\ud83d", "x\udfff\ud83d\ude00"])
def test_half_a_character_is_kept(
    caller: Caller, server: Server, store: memexllm.Store, streamed: bool, content: str
) -> None:
    server.say(stream(*content) if streamed else text(content), text("ok"))
    caller.ask(user("hi"), stream=streamed)
    message = stored(store)
    whole = content.replace("\ud83d\ude00", "\U0001f600")
    projected = "".join("�" if "\ud800" <= letter <= "\udfff" else letter for letter in whole)
    assert (message.content, message.state) == (projected, "complete")
    # Not a code unit of it is lost.
    original = json.loads(message.provenance["original"])
    assert original == {"role": "assistant", "content": whole}
    caller.ask(user("and"))
    assert server.seen[1] == message.body


def test_a_content_of_parts(caller: Caller, server: Server, store: memexllm.Store) -> None:
    def thought(text_: str) -> dict[str, Any]:
        return {"type": "thinking", "thinking": [{"type": "text", "text": text_}]}

    chunks = [
        chunk({"content": value}) for value in ("", [thought("h")], [thought("m")], "y", "es")
    ]
    server.say(Reply(chunks=[*chunks, chunk({}, "stop")]))
    caller.ask(user("hi"), stream=True)
    assert stored(store).content == [thought("hm"), {"type": "text", "text": "yes"}]


@pytest.mark.parametrize(
    "odd",
    [
        [1],
        "x",
        7,
        {},
        {"choices": None},
        {"choices": [None]},
        {"choices": "x"},
        {"choices": [{"index": None, "delta": None}]},
        {"choices": [{"delta": [1]}]},
    ],
)
def test_what_is_no_chunk_passes(
    plain_caller: Caller, server: Server, store: memexllm.Store, odd: Any
) -> None:
    reply = stream("Hel", "lo")
    chunks = [odd, *(reply.chunks or [])]
    server.say(Reply(chunks=chunks), Reply(chunks=chunks))
    bare = plain_caller.run(
        plain_caller.client.chat.completions.create(model="m", messages=user("hi"), stream=True)
    )
    wanted = plain_caller.read(bare)
    assert plain_caller.remember(store=store).ask(user("hi"), stream=True) == wanted
    assert stored(store).body == {"role": "assistant", "content": "Hello"}


def test_a_stream_of_nothing_is_no_answer(
    caller: Caller, server: Server, store: memexllm.Store
) -> None:
    server.say(Reply(raw=("text/html", b"<p>sorry</p>")), Reply(chunks=[]), text("ok"))
    assert caller.ask(user("hi"), stream=True) == []
    assert caller.ask(user("hi"), stream=True) == []
    assert store.threads.open("t").bodies() == user("hi")
    caller.ask(user("hi"))
    assert server.seen == user("hi")
