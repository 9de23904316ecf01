"""Pages and tokens: reading a part now and the next one later."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

import memexllm
from memexllm import aio, errors


@pytest.fixture
def numbers(thread: memexllm.Thread) -> memexllm.Thread:
    """A thread of ten messages."""
    thread.append([{"role": "user", "content": str(n)} for n in range(1, 11)])
    return thread


QUERIES: list[tuple[dict[str, Any], list[int]]] = [
    ({}, list(range(1, 11))),
    ({"descending": True}, list(range(10, 0, -1))),
    ({"last": 5}, [6, 7, 8, 9, 10]),
    ({"limit": 7}, [1, 2, 3, 4, 5, 6, 7]),
    ({"after_seq": 4, "limit": 3}, [5, 6, 7]),
    ({"from_seq": 3, "to_seq": 4}, [3, 4]),
    ({"last": 0}, []),
]


@pytest.mark.parametrize(("query", "expected"), QUERIES)
@pytest.mark.parametrize("page_size", [1, 3, 5, 250])
def test_pages_by_token(
    numbers: memexllm.Thread, query: dict[str, Any], expected: list[int], page_size: int
) -> None:
    """Each page is read by another object, from the token of the one before."""
    token: str | None = None
    seen: list[int] = []
    for _ in range(20):
        messages = numbers.messages(page_size=page_size, cursor=token, **query)
        page = messages.page()
        assert len(page) <= page_size
        seen += [message.seq for message in page]
        token = messages.token
        if not token:
            break
    assert seen == expected


def test_pages_of_one_object(numbers: memexllm.Thread) -> None:
    messages = numbers.messages(page_size=4)
    start = messages.token
    assert [len(messages.page()) for _ in range(4)] == [4, 4, 2, 0]
    assert messages.token == ""
    # Other ways to read do not move it, and are not moved by it.
    assert len(messages) == 10 and [message.seq for message in messages] == list(range(1, 11))
    again = numbers.messages(page_size=4, cursor=start)
    assert [message.seq for message in again.page()] == [1, 2, 3, 4]
    middle = again.token
    assert [message.seq for message in again] == list(range(1, 11))
    assert again.token == middle


def test_a_token_goes_on_where_it_stood(numbers: memexllm.Thread) -> None:
    messages = numbers.messages(page_size=4)
    messages.page()
    token = messages.token
    numbers.append("user", "11")
    rest = numbers.messages(cursor=token)
    # The end is the one of the first reading.
    assert [message.seq for message in rest] == [5, 6, 7, 8, 9, 10]
    assert [message.seq for message in reversed(rest)] == [10, 9, 8, 7, 6, 5]
    assert rest[0].seq == 5 and len(rest) == 6


@pytest.mark.parametrize("token", ["", "x", "m1.1.10", "m1.1.10.x", "\0", "m1.1.10.5.6"])
def test_a_wrong_token_is_refused(numbers: memexllm.Thread, token: str) -> None:
    with pytest.raises(errors.InvalidError):
        numbers.messages(cursor=token).page()


def test_a_cursor_is_given_back(numbers: memexllm.Thread) -> None:
    for _ in range(200):
        numbers.messages(page_size=1).page()
    gc.collect()
    assert numbers.count() == 10


async def test_asyncio(url: str) -> None:
    async with aio.open(url) as store:
        thread = await store.threads.create()
        await thread.append([{"role": "user", "content": str(n)} for n in range(5)])
        messages = thread.messages(page_size=2)
        assert [message.seq for message in await messages.page()] == [1, 2]
        rest = thread.messages(page_size=2, cursor=messages.token)
        assert [message.seq async for message in rest] == [3, 4, 5]
        await store.threads.create()
        listed = store.threads.list(order="created", page_size=1)
        await listed.page()
        # Nothing was read yet: it is where it was told to begin.
        again = store.threads.list(order="created", page_size=1, cursor=listed.token)
        assert again.token == listed.token
        assert [found.id for found in await again.page()] == [thread.id]


LISTS: list[dict[str, Any]] = [{}, {"descending": False}, {"order": "created"}, {"limit": 3}]


@pytest.mark.parametrize("query", LISTS)
def test_the_first_token_of_a_list_leads_to_its_beginning(
    store: memexllm.Store, query: dict[str, Any]
) -> None:
    assert store.threads.list(cursor=store.threads.list(**query).token, **query).page() == []
    for name in "abcde":
        store.threads.create(id=name)
    listing = store.threads.list(page_size=2, **query)
    again = store.threads.list(cursor=listing.token, **query)
    whole = [thread.id for thread in store.threads.list(**query)]
    assert [thread.id for thread in again] == whole
    assert [thread.id for thread in listing.page()] == whole[:2]
    assert [t.id for t in store.threads.list(cursor=listing.token, **query)] == whole[2:]


def test_the_first_token_of_messages_leads_to_their_beginning(numbers: memexllm.Thread) -> None:
    token = numbers.messages().token
    assert len(numbers.messages(cursor=token)) == 10


def test_the_first_token_of_an_async_list(url: str) -> None:
    async def main() -> None:
        async with aio.open(url) as store:
            await store.threads.create(id="a")
            token = store.threads.list().token
            assert [thread.id async for thread in store.threads.list(cursor=token)] == ["a"]

    asyncio.run(main())
