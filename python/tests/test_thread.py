"""Threads: documents, lists, appends, forks."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import memexllm
from memexllm import errors

CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":"ü"}'}}
    ],
}
RESULT = {"role": "tool", "tool_call_id": "call_1", "content": "ok"}


def test_create_open_get(store: memexllm.Store) -> None:
    thread = store.threads.create(title="Order 17", metadata={"user": "alice"}, id="order-17")
    assert thread.id == "order-17"
    assert (thread.title, thread.metadata, thread.version) == ("Order 17", {"user": "alice"}, 1)
    again = store.threads.open("order-17")
    assert again == thread and hash(again) == hash(thread)
    assert again.title == "Order 17"
    assert store.threads["order-17"] == thread
    assert "order-17" in store.threads and "nosuch" not in store.threads
    assert store.threads.get("nosuch") is None
    with pytest.raises(errors.NotFoundError):
        store.threads.open("nosuch")
    with pytest.raises(LookupError):
        store.threads.open("nosuch")
    with pytest.raises(errors.ExistsError):
        store.threads.create(id="order-17")
    assert bool(thread) and len(thread) == 0


def test_times_are_aware(store: memexllm.Store) -> None:
    before = datetime.now(timezone.utc) - timedelta(seconds=1)
    thread = store.threads.create()
    assert before <= thread.created_at <= datetime.now(timezone.utc)
    assert thread.last_message_at is None
    receipt = thread.append("user", "x")
    assert thread.last_message_at == receipt.created_at == thread.message(1).created_at
    assert thread.updated_at >= thread.created_at
    old = datetime(2020, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=2)))
    assert store.threads.create(created_at=old).created_at == old
    thread.append("user", "old", created_at=old)
    assert thread.message(2).created_at == old
    with pytest.raises(ValueError, match="time zone"):
        thread.append("user", "x", created_at=datetime(2020, 1, 1))


def test_update(store: memexllm.Store) -> None:
    thread = store.threads.create(title="a", metadata={"x": 1, "y": {"z": 2}})
    info = thread.update(metadata={"x": None, "y": {"w": 3}})
    assert info.metadata == {"y": {"z": 2, "w": 3}}
    assert (thread.title, thread.version) == ("a", 2)
    assert thread.update(title=None).title is None
    assert thread.update(title="b", if_version=3).version == 4
    with pytest.raises(errors.ConflictError):
        thread.update(title="c", if_version=3)
    assert store.threads.open(thread.id).title == "b"
    # What another object changed is seen after get.
    store.threads.open(thread.id).update(title="d")
    assert thread.title == "b"
    assert thread.get().title == "d"
    assert thread.title == "d"


def test_delete(store: memexllm.Store) -> None:
    one, two = store.threads.create(), store.threads.create()
    one.append("user", "x")
    with pytest.raises(errors.ConflictError):
        one.delete(if_version=7)
    one.delete(if_version=1)
    with pytest.raises(errors.NotFoundError):
        one.get()
    with pytest.raises(errors.NotFoundError):
        one.append("user", "y")
    store.threads.delete(two.id, erase=store.stats()["erases"])
    with pytest.raises(errors.NotFoundError):
        store.threads.delete(two.id)
    assert not list(store.threads.list())


def test_list(store: memexllm.Store) -> None:
    for number in range(7):
        store.threads.create(
            id=f"t{number}", title=f"T {number}", metadata={"even": number % 2 == 0, "n": number}
        )
    names = [thread.id for thread in store.threads.list(order="created", page_size=2)]
    assert names == ["t6", "t5", "t4", "t3", "t2", "t1", "t0"]
    listed = store.threads.list(order="created", descending=False, limit=3)
    assert [(thread.id, thread.title) for thread in listed] == [
        ("t0", "T 0"),
        ("t1", "T 1"),
        ("t2", "T 2"),
    ]
    even = store.threads.list(metadata={"even": True})
    assert {thread.id for thread in even} == {"t0", "t2", "t4", "t6"}
    both = store.threads.list(metadata={"even": True}, filter={"metadata": {"n": {"gt": 3}}})
    assert {thread.id for thread in both} == {"t4", "t6"}
    prefix = store.threads.list(filter={"or": [{"id": {"eq": "t1"}}, {"title": {"prefix": "T 5"}}]})
    assert {thread.id for thread in prefix} == {"t1", "t5"}
    store.threads.open("t3").append("user", "newest")
    assert next(store.threads.list()).id == "t3"
    assert len(list(store.threads)) == 7
    with pytest.raises(errors.InvalidError) as caught:
        store.threads.list(filter={"nosuch": {"eq": 1}})
    assert caught.value.details["path"] == "/filter/nosuch"


def test_list_goes_on_from_a_token(store: memexllm.Store) -> None:
    for number in range(5):
        store.threads.create(id=f"t{number}")
    first = store.threads.list(order="created", page_size=2)
    names = [thread.id for thread in first.page()]
    token = first.token
    assert token
    rest = store.threads.list(order="created", page_size=2, cursor=token)
    names += [thread.id for thread in rest]
    assert names == ["t4", "t3", "t2", "t1", "t0"]
    assert rest.token == ""
    assert rest.page() == []


def test_append_text(thread: memexllm.Thread) -> None:
    receipt = thread.append("user", "Where is my order?")
    assert (receipt.seq, receipt.first_seq, receipt.last_seq, receipt.duplicate) == (1, 1, 1, False)
    assert receipt.id == thread.message(1).id
    assert thread.bodies() == [{"role": "user", "content": "Where is my order?"}]
    thread.append("narrator", "a role of my own")
    assert thread.bodies(1) == [{"role": "narrator", "content": "a role of my own"}]


def test_append_messages(thread: memexllm.Thread) -> None:
    assert thread.append({"role": "user", "content": "x"}).seq == 1
    receipt = thread.append([CALL, RESULT], metadata={"turn": 2}, pinned=True)
    assert (receipt.first_seq, receipt.last_seq) == (2, 3)
    raw = b'{"content" : "\\u00fc", "role":"user", "n": 1e2}'
    thread.append(raw)
    assert thread.bodies() == [{"role": "user", "content": "x"}, CALL, RESULT, json.loads(raw)]
    assert thread.message(4).raw == raw
    assert thread.message(2).metadata == {"turn": 2} == thread.message(3).metadata
    assert thread.message(3).pinned and not thread.message(4).pinned
    view: Any = bytearray(raw)
    thread.append(view)
    assert thread.message(5).raw == raw


def test_append_takes_options_for_each_message(thread: memexllm.Thread) -> None:
    when = datetime(2021, 1, 1, tzinfo=timezone.utc)
    thread.append(
        [CALL, RESULT],
        messages=[{"id": "call", "created_at": when}, {"id": "result", "state": "incomplete"}],
    )
    assert thread.message("call").seq == 1
    assert thread.message("call").created_at == when
    assert thread.message("result").state == "incomplete"
    with pytest.raises(errors.ExistsError):
        thread.append("user", "x", id="call")


@pytest.mark.parametrize(
    ("message", "text"),
    [("user", None), ("user", 7), (7, "x"), (None, "x"), (7, None), (object(), None)],
)
def test_append_of_something_else_is_a_type_error(
    thread: memexllm.Thread, message: Any, text: Any
) -> None:
    with pytest.raises((TypeError, errors.InvalidError)):
        thread.append(message, text)
    assert thread.count() == 0


@pytest.mark.parametrize(
    "options",
    [{"nosuch": 1}, {"id": ""}, {"id": "a\nb"}, {"id": "x" * 256}, {"state": "late"}],
)
def test_wrong_options_name_their_path(thread: memexllm.Thread, options: dict[str, Any]) -> None:
    with pytest.raises((errors.InvalidError, errors.LimitError)) as caught:
        thread.append("user", "x", **options)
    assert str(caught.value).startswith(f"/{next(iter(options))}")
    assert not caught.value.retryable
    assert thread.count() == 0


def test_all_or_none(thread: memexllm.Thread) -> None:
    with pytest.raises(errors.InvalidError) as caught:
        thread.append(b'[{"role":"user","content":"x"},{"role":}]')
    assert caught.value.details["offset"] > 0
    assert thread.count() == 0


def test_idempotency(thread: memexllm.Thread) -> None:
    first = thread.append([CALL, RESULT], idempotency_key="turn-2")
    thread.append("user", "between")
    again = thread.append([CALL, RESULT], idempotency_key="turn-2")
    assert again.duplicate and not first.duplicate
    assert (again.first_seq, again.last_seq) == (1, 2)
    assert again.created_at == first.created_at
    with pytest.raises(errors.ConflictError):
        thread.append([RESULT], idempotency_key="turn-2")
    assert thread.count() == 3
    assert thread.message(1).idempotency_key == "turn-2"


def test_expect_seq(thread: memexllm.Thread) -> None:
    assert thread.append("user", "x", expect_seq=1).seq == 1
    with pytest.raises(errors.ConflictError):
        thread.append("user", "y", expect_seq=1)
    assert thread.append("user", "y", expect_seq=2, timeout=1.5).seq == 2


def test_fork(store: memexllm.Store) -> None:
    thread = store.threads.create(title="origin")
    for number in range(4):
        thread.append("user", str(number))
    fork = thread.fork(at_seq=2, title="other way", metadata={"why": "regenerate"})
    assert [body["content"] for body in fork.bodies()] == ["0", "1"]
    fork.append("user", "new")
    assert fork.message(3).content == "new"
    assert thread.message(3).content == "2"
    info = fork.get()
    assert info.root == thread.id
    assert info.base == {"thread": thread.id, "seq": 2, "rev": 4}
    assert (info.title, info.metadata, info.message_count) == (
        "other way",
        {"why": "regenerate"},
        3,
    )
    family = {entry.id for entry in store.threads.list(root=thread.id)}
    assert fork.id in family
    thread.delete()
    assert [body["content"] for body in fork.bodies()] == ["0", "1", "new"]


def test_transactions(store: memexllm.Store) -> None:
    kept = store.threads.create(id="kept")
    with store.transaction() as work:
        made = work.threads.create(id="made")
        made.append("user", "1")
        assert work.threads.open("kept").append("user", "2").seq == 0
        assert store.threads.get("made") is None
    assert [sorted(result) for result in work.results][0] == ["id"]
    assert work.results[2]["first_seq"] == 1
    assert store.threads.open("made").bodies() == [{"role": "user", "content": "1"}]
    with pytest.raises(errors.ClosedError):
        made.append("user", "late")
    with pytest.raises(errors.ClosedError):
        work.commit()
    with pytest.raises(RuntimeError, match="no"), store.transaction() as work:
        work.threads.open("kept").append("user", "never")
        raise RuntimeError("no")
    with pytest.raises(errors.ExistsError), store.transaction() as work:
        work.threads.open("kept").append("user", "never")
        work.threads.create(id="made")
    work.rollback()
    assert kept.bodies() == [{"role": "user", "content": "2"}]


def test_notebooks_see_html(store: memexllm.Store) -> None:
    thread = store.threads.create(title="<b>bold</b>")
    thread.append("user", "<script>alert(1)</script>")
    html = thread._repr_html_()  # pylint: disable=protected-access
    assert "<script>" not in html and "&lt;script&gt;" in html
    assert "<b>bold" not in html


@pytest.mark.parametrize(
    "body",
    [
        {"role": "user", "content": "plain"},
        {"content": "plain", "role": "user"},
        {"role": "user", "content": None},
        {"role": "user", "name": "x"},
        {"role": "of my own", "content": '\\"\n\t\x7f\u2028/é\0'},
    ],
)
def test_a_dict_is_stored_as_its_json(thread: memexllm.Thread, body: dict[str, Any]) -> None:
    thread.append(body)
    thread.append([body])
    thread.append(body, metadata={"a": 1}, idempotency_key="k", format="opaque")
    assert thread.append(body, metadata={"a": 1}, idempotency_key="k", format="opaque").duplicate
    assert thread.bodies() == [body] * 3
    assert [list(stored) for stored in thread.bodies()] == [list(body)] * 3
    assert thread.message(3).metadata == {"a": 1}
    assert thread.message(3).format == "opaque"
    for message in thread.messages():
        assert json.loads(message.raw) == body
