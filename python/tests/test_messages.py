"""Messages: reading, ranges, changing."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest

import memexllm
from memexllm import errors


@pytest.fixture
def numbers(thread: memexllm.Thread) -> memexllm.Thread:
    """A thread of 1,200 messages, more than any page."""
    thread.append([{"role": "user", "content": str(n)} for n in range(1, 1201)])
    return thread


def contents(messages: Any) -> list[int]:
    """The contents as numbers."""
    return [int(message.content) for message in messages]


@pytest.mark.parametrize("last", [0, 1, 50, 250, 500, 501, 1199, 1200, 5000])
def test_the_last(numbers: memexllm.Thread, last: int) -> None:
    expected = list(range(max(1, 1201 - last), 1201))
    assert contents(numbers.messages(last=last)) == expected
    assert contents(reversed(numbers.messages(last=last))) == expected[::-1]
    assert [int(body["content"]) for body in numbers.bodies(last)] == expected
    assert [int(body["content"]) for body in numbers.bodies(last=last)] == expected


def test_all(numbers: memexllm.Thread) -> None:
    everything = list(range(1, 1201))
    assert contents(numbers.messages()) == everything
    assert contents(numbers) == everything
    assert contents(reversed(numbers.messages())) == everything[::-1]
    assert [int(body["content"]) for body in numbers.bodies()] == everything


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"from_seq": 10, "to_seq": 12}, [10, 11, 12]),
        ({"from_seq": 1199}, [1199, 1200]),
        ({"to_seq": 2}, [1, 2]),
        ({"after_seq": 1198}, [1199, 1200]),
        ({"after_seq": 3, "limit": 2}, [4, 5]),
        ({"before_seq": 10, "limit": 3}, [7, 8, 9]),
        ({"limit": 3}, [1, 2, 3]),
        ({"limit": 3, "descending": True}, [1200, 1199, 1198]),
        ({"last": 3, "descending": True, "page_size": 2}, [1200, 1199, 1198]),
        ({"after_seq": 1200}, []),
    ],
)
def test_ranges(numbers: memexllm.Thread, query: dict[str, Any], expected: list[int]) -> None:
    messages = numbers.messages(**query)
    assert contents(messages) == expected
    assert contents(reversed(messages)) == expected[::-1]
    assert len(messages) == len(expected)
    assert contents(messages) == expected
    assert contents(messages[:2]) == expected[:2]


def test_wrong_ranges(numbers: memexllm.Thread) -> None:
    for query in ({"last": -1}, {"last": 1, "from_seq": 1}, {"page_size": 0}, {"from_seq": 0}):
        with pytest.raises(errors.InvalidError):
            list(numbers.messages(**query))  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidError):
        numbers.bodies(-1)


def test_messages_are_a_sequence(numbers: memexllm.Thread) -> None:
    messages = numbers.messages(last=10)
    assert messages[0].seq == 1191
    assert messages[-1].seq == 1200
    assert messages[3] in messages
    assert messages == numbers.messages(last=10)
    assert messages != numbers.messages(last=9)
    with pytest.raises(IndexError):
        messages[10]  # pylint: disable=pointless-statement


def test_what_is_appended_while_reading_is_not_seen(numbers: memexllm.Thread) -> None:
    seen = 0
    for message in numbers.messages(page_size=100):
        seen += 1
        if message.seq <= 3:
            numbers.append("user", "0")
    assert seen == 1200
    assert numbers.count() == 1203


def test_an_iteration_that_stops_frees_its_cursor(numbers: memexllm.Thread) -> None:
    for _ in range(200):
        assert next(iter(numbers.messages(page_size=1))).seq == 1
    gc.collect()
    assert numbers.count() == 1200


def test_fields(thread: memexllm.Thread) -> None:
    body = {
        "role": "assistant",
        "content": [{"type": "text", "text": "see"}],
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}],
    }
    thread.append("user", "plain", metadata={"a": [1, None]}, provenance={"from": "test"})
    thread.append(body, pinned=True, state="incomplete")
    thread.append(b'{"role":"user"}')
    thread.append(b'{"x":1}', format="opaque")
    plain, rich, bare, opaque = thread.messages()
    assert (plain.content, plain.tool_calls, plain.state) == ("plain", [], "complete")
    assert plain.body == {"role": "user", "content": "plain"}
    assert plain.raw == b'{"role":"user","content":"plain"}'
    assert (plain.metadata, plain.provenance) == ({"a": [1, None]}, {"from": "test"})
    assert plain.tokens > 0
    assert rich.body == body and rich.content == body["content"]
    assert rich.tool_calls == body["tool_calls"]
    assert (rich.state, rich.pinned, rich.metadata) == ("incomplete", True, {})
    assert (bare.content, bare.body, bare.raw) == (None, {"role": "user"}, b'{"role":"user"}')
    assert (opaque.role, opaque.format, opaque.body) == ("", "opaque", {"x": 1})
    assert plain.format == "openai.chat"
    assert plain.idempotency_key is None
    for message in (plain, rich, bare, opaque):
        again = thread.message(message.id)
        assert again == message and hash(again) == hash(message)
        for name in ("seq", "rev", "role", "content", "body", "raw", "created_at", "metadata"):
            assert getattr(again, name) == getattr(message, name), name
        for name in ("state", "pinned", "tokens", "id", "format", "tool_calls", "provenance"):
            assert getattr(again, name) == getattr(message, name), name
    assert "plain" in repr(plain)
    assert "plain" in plain._repr_html_()  # pylint: disable=protected-access


def test_missing(thread: memexllm.Thread) -> None:
    for which in (1, "nosuch"):
        with pytest.raises(errors.NotFoundError):
            thread.message(which)
    for wrong in (0, -1, ""):
        with pytest.raises(errors.InvalidError):
            thread.message(wrong)


def test_replace(thread: memexllm.Thread) -> None:
    thread.append("user", "old", metadata={"kept": 1})
    old = thread.message(1)
    fork = thread.fork()
    new = old.replace({"role": "user", "content": "new"}, if_rev=old.rev)
    assert (new.content, new.metadata, new.seq, new.id) == ("new", {"kept": 1}, 1, old.id)
    assert new.rev > old.rev
    assert new != old
    assert fork.message(1).content == "old"
    with pytest.raises(errors.ConflictError):
        old.replace({"role": "user", "content": "late"}, if_rev=old.rev)
    with pytest.raises(errors.InvalidError):
        new.replace(b"[]")
    raw = b'{"role" : "user", "content":"raw"}'
    assert new.replace(raw, state="incomplete", pinned=True).raw == raw
    assert thread.message(1).state == "incomplete"
    assert thread.message(1).pinned


def test_a_message_never_mixes_two_versions(thread: memexllm.Thread) -> None:
    thread.append("user", "old", metadata={"a": 1})
    (message,) = thread.messages()
    thread.message(1).replace({"role": "user", "content": "new"})
    assert message.content == "old"
    assert message.id == thread.message(1).id
    for read in (lambda: message.raw, lambda: message.metadata):
        with pytest.raises(errors.ConflictError):
            read()


def test_update_metadata(thread: memexllm.Thread) -> None:
    thread.append("user", "x", metadata={"a": 1, "b": 2})
    message = thread.message(1).update_metadata({"a": None, "c": {"d": 3}}, pinned=True)
    assert message.metadata == {"b": 2, "c": {"d": 3}}
    assert message.pinned and message.content == "x"
    with pytest.raises(errors.ConflictError):
        message.update_metadata({}, if_rev=message.rev - 1)


@pytest.mark.parametrize("erase", [False, True])
def test_delete(store: memexllm.Store, numbers: memexllm.Thread, erase: bool) -> None:
    if erase and not store.stats()["erases"]:
        with pytest.raises(errors.UnsupportedError):
            numbers.message(1199).delete(erase=True)
        assert numbers.message(1199).content == "1199"
        return
    numbers.message(1199).delete(erase=erase)
    assert numbers.count() == 1199
    assert contents(numbers.messages(last=2)) == [1198, 1200]
    assert [body["content"] for body in numbers.bodies(2)] == ["1198", "1200"]
    with pytest.raises(errors.NotFoundError):
        numbers.message(1199)
    assert numbers.append("user", "1201").seq == 1201
    tombstone = numbers.messages(from_seq=1199, to_seq=1199, include_deleted=True)[0]
    assert (tombstone.state, tombstone.body, tombstone.raw) == ("deleted", {}, b"")
    assert tombstone.content is None


@pytest.mark.parametrize(
    "read",
    [
        lambda message: message.raw,
        lambda message: message.format,
        lambda message: message.delete(),
        lambda message: message.replace(b"{}"),
        lambda message: message.update_metadata({}),
    ],
)
def test_deleted_meanwhile(
    thread: memexllm.Thread, read: Callable[[memexllm.Message], object]
) -> None:
    thread.append("user", "x")
    (message,) = thread.messages()
    thread.message(1).delete()
    assert message.id
    with pytest.raises(errors.NotFoundError):
        read(message)


def test_a_tombstone_has_an_id_and_can_be_erased(
    store: memexllm.Store, thread: memexllm.Thread
) -> None:
    thread.append("user", "x", id="mine")
    (message,) = thread.messages()
    fork = thread.fork()
    message.delete()
    (tombstone,) = thread.messages(include_deleted=True)
    assert (tombstone.state, tombstone.id, message.id) == ("deleted", "mine", "mine")
    assert fork.message(1).content == "x"
    if not store.stats()["erases"]:
        with pytest.raises(errors.UnsupportedError):
            tombstone.delete(erase=True)
        return
    tombstone.delete(erase=True)
    with pytest.raises(errors.NotFoundError):
        fork.message(1)


def test_messages_deleted_meanwhile_are_not_read(thread: memexllm.Thread) -> None:
    for number in range(600):
        thread.append("user", str(number))
    found = iter(thread.messages())
    first = next(found)
    for seq in range(400, 601):
        thread.message(seq).delete()
    rest = list(found)
    assert first.content == "0" and all(message.state == "complete" for message in rest)
    assert [message.seq for message in rest] == list(range(2, 400))


def test_erase_after_a_deletion(store: memexllm.Store, thread: memexllm.Thread) -> None:
    thread.append("user", "x")
    fork = thread.fork()
    (message,) = thread.messages()
    message.delete()
    assert fork.count() == 1
    if not store.stats()["erases"]:
        with pytest.raises(errors.UnsupportedError):
            message.delete(erase=True)
        return
    for _ in range(2):
        message.delete(erase=True)
        assert fork.count() == 0
    with pytest.raises(errors.NotFoundError):
        message.delete()


def test_text_and_json_are_one_append(thread: memexllm.Thread) -> None:
    body = {"role": "user", "content": "a"}
    first = thread.append("user", "a", idempotency_key="k")
    for again in (
        thread.append(b'{"role":"user","content":"a"}', idempotency_key="k"),
        thread.append(body, idempotency_key="k"),
        thread.append([body], idempotency_key="k"),
    ):
        assert again.duplicate and again.seq == first.seq
    assert thread.count() == 1
