"""Whatever goes in comes back, or is refused with the right error and nothing written."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

import memexllm
from memexllm import errors

TEXT = some.text(alphabet=some.characters(codec="utf-8"))
# NUL is legal in every text, but in no key.
KEY = some.text(alphabet=some.characters(codec="utf-8", exclude_characters="\0"))
JSON = some.recursive(
    some.none()
    | some.booleans()
    | some.integers(-(2**63), 2**63)
    | some.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(KEY, inner, max_size=4),
    max_leaves=20,
)
OBJECT = some.dictionaries(KEY, JSON, max_size=6)
SHARED = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_conversations_come_back_byte_for_byte(store: memexllm.Store, airline: list[str]) -> None:
    bodies = 0
    for line in airline:
        messages = json.loads(line)["traj"]
        raws = [json.dumps(message, ensure_ascii=False).encode() for message in messages]
        thread = store.threads.create()
        thread.append(b"[" + b", ".join(raws) + b"]")
        assert thread.bodies() == messages
        assert [list(body) for body in thread.bodies()] == [list(body) for body in messages]
        read = list(thread.messages())
        assert [message.raw for message in read] == raws
        assert [message.body for message in read] == messages
        assert [message.role for message in read] == [body["role"] for body in messages]
        bodies += len(read)
    assert (len(airline), bodies) == (100, 2526)


@SHARED
@given(text=TEXT)
def test_any_text(thread: memexllm.Thread, text: str) -> None:
    receipt = thread.append("user", text)
    assert thread.bodies(1) == [{"role": "user", "content": text}]
    assert thread.message(receipt.seq).content == text
    assert json.loads(thread.message(receipt.seq).raw)["content"] == text


@SHARED
@given(body=OBJECT)
def test_any_object(thread: memexllm.Thread, body: dict[str, Any]) -> None:
    thread.append(body, format="opaque")
    assert thread.bodies(1) == [body]
    assert list(thread.bodies(1)[0]) == list(body)
    (message,) = thread.messages(last=1)
    assert message.body == body
    assert json.loads(message.raw) == body


@SHARED
@given(texts=some.lists(TEXT, max_size=8))
def test_any_page(store: memexllm.Store, texts: list[str]) -> None:
    thread = store.threads.create()
    bodies: list[dict[str, Any]] = [{"role": "user", "content": text} for text in texts]
    bodies += [{"content": text, "role": "user", "name": text} for text in texts]
    bodies += [{"content": text, "role": "of my own"} for text in texts]
    if bodies:
        thread.append(bodies)
    assert thread.bodies() == bodies
    assert [list(body) for body in thread.bodies()] == [list(body) for body in bodies]
    assert [message.body for message in thread.messages()] == bodies


@SHARED
@given(metadata=OBJECT)
def test_any_metadata(thread: memexllm.Thread, metadata: dict[str, Any]) -> None:
    receipt = thread.append("user", "x", metadata=metadata, provenance=metadata)
    message = thread.message(receipt.seq)
    assert (message.metadata, message.provenance) == (metadata, metadata)


@SHARED
@given(
    identifier=some.text(
        alphabet=some.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=60
    )
)
def test_any_id(store: memexllm.Store, identifier: str) -> None:
    thread = store.threads.get(identifier) or store.threads.create(id=identifier)
    assert thread.id == identifier
    own = store.threads.create()
    own.append("user", "x", id=identifier, idempotency_key=identifier)
    assert own.message(identifier).seq == 1
    assert own.messages()[0].id == identifier


@pytest.mark.parametrize("text", ["", "\0", "a\0b", "\0" * 5, "\ufeff", "\U0010ffff", "é" * 5000])
def test_odd_texts(thread: memexllm.Thread, text: str) -> None:
    thread.append("user", text)
    thread.append([{"role": "assistant", "content": text}, {"role": "user", "content": "x"}])
    assert [body["content"] for body in thread.bodies()] == [text, text, "x"]
    assert [message.content for message in thread.messages()] == [text, text, "x"]


@pytest.mark.parametrize("text", ["\ud800", "a\udc97b", "\udc00\ud800"])
def test_lone_surrogates_are_refused_with_their_offset(thread: memexllm.Thread, text: str) -> None:
    with pytest.raises(errors.InvalidError) as caught:
        thread.append("user", text)
    assert caught.value.details["offset"] == len(text.partition(text.lstrip("a")[0])[0])
    for wrong in (
        lambda: thread.append({"role": "user", "content": text}),
        lambda: thread.append("user", "x", metadata={text: 1}),
        lambda: thread.append("user", "x", id=text),
        lambda: thread.append(text, "x"),
        lambda: thread.update(title=text),
        lambda: thread.message(text),
    ):
        with pytest.raises(errors.InvalidError):
            wrong()
    assert thread.count() == 0


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"   ",
        b"{",
        b'{"role":"user","role":"user"}',
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}',
        b'{"a":"\\ud800"}',
        b'{"role":"user","\\u0000":1}',
        b'{"a":NaN}',
        b"[]",
        b"[1]",
        b'"text"',
        b"null",
        b'{"role":"user"} x',
        b'{"a":' + b"[" * 129 + b"]" * 129 + b"}",
    ],
)
def test_what_is_no_message_is_refused(thread: memexllm.Thread, raw: bytes) -> None:
    with pytest.raises((errors.InvalidError, errors.LimitError)) as caught:
        thread.append(raw)
    assert str(caught.value)
    assert thread.count() == 0


@pytest.mark.parametrize(
    "raw",
    [
        b'{"role":"user","content":"x","n":123456789012345678901234567890}',
        b'{"role":"user","content":"x","n":[1e2,-0,0.1,1.0]}',
        b'{ "role" : "user" ,\n\t"content" : "\\u00fc\\/\\ud83d\\ude00" }',
        b'{"role":"user","content":null}',
        b"{}",
        b'{"a":' + b"[" * 100 + b"]" * 100 + b"}",
    ],
)
def test_odd_bodies_come_back_byte_for_byte(thread: memexllm.Thread, raw: bytes) -> None:
    thread.append(b"  " + raw + b"\n", format="opaque")
    assert thread.message(1).raw == raw
    assert thread.messages()[0].raw == raw
    assert thread.bodies() == [json.loads(raw)]


def test_what_is_no_json_is_pythons_error(thread: memexllm.Thread) -> None:
    for wrong in ({"x": math.nan}, {"x": math.inf}):
        with pytest.raises(ValueError, match="JSON"):
            thread.append(wrong)
    with pytest.raises(TypeError):
        thread.append({"x": object()})
    assert thread.count() == 0


def test_a_big_body(thread: memexllm.Thread) -> None:
    text = "ü" * 3_000_000
    thread.append("user", text)
    assert thread.bodies() == [{"role": "user", "content": text}]
    with pytest.raises(errors.LimitError) as caught:
        thread.append("user", "x" * (64 << 20))
    assert caught.value.code == -14
    assert thread.count() == 1


def test_what_holds_itself_is_refused(thread: memexllm.Thread) -> None:
    loop: dict[str, Any] = {"role": "user"}
    loop["content"] = [loop]
    uses: list[Callable[[], object]] = [
        lambda: thread.append(loop),
        lambda: thread.append("user", "x", metadata=loop),
        lambda: thread.append([loop]),
    ]
    for use in uses:
        with pytest.raises(errors.LimitError, match="128 levels"):
            use()
    assert thread.count() == 0


def test_mappings_and_sequences_are_dicts_and_lists(thread: memexllm.Thread) -> None:
    body = MappingProxyType({"role": "user", "content": (1, MappingProxyType({"a": range(2)}))})
    thread.append(body, metadata=MappingProxyType({"m": (1,)}))
    thread.append((body, body))
    wanted = {"role": "user", "content": [1, {"a": [0, 1]}]}
    assert thread.bodies() == [wanted] * 3
    assert thread.message(1).metadata == {"m": [1]}
    raw: Any = bytearray(b'{"role":"user"}')
    assert thread.message(1).replace(raw).raw == thread.message(thread.append(raw).seq).raw == raw


def test_numbers_of_many_digits(thread: memexllm.Thread) -> None:
    raw = b'{"role":"user","content":%s}' % (b"7" * 5000)
    thread.append(raw)
    (message,) = thread.messages()
    assert message.raw == raw
    if hasattr(sys, "set_int_max_str_digits"):
        with pytest.raises(ValueError, match="digits"):
            thread.bodies()
