"""Conversations, for asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from ._arguments import UNSET
from ._async_base import Wrapped, passed
from .message import Message
from .thread import Thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Mapping, Sequence
    from datetime import datetime

    from typing_extensions import Unpack

    from ._aio_runner import Runner
    from ._arguments import Unset
    from ._options import AppendOptions
    from .context import Pipeline, Strategy, Window
    from .info import ThreadInfo
    from .messages import Messages
    from .receipt import Receipt


class AsyncMessage(Wrapped[Message]):
    """A message as it was when it was read, see Message.

    ``id``, ``raw``, ``metadata``, ``provenance``, ``format`` and ``idempotency_key`` may have to
    be read; await ``load`` first to do that off the event loop.
    """

    __slots__ = ()

    seq = passed(Message, "seq", int)
    rev = passed(Message, "rev", int)
    role = passed(Message, "role", str)
    tokens = passed(Message, "tokens", int)
    content = passed(Message, "content", object)
    tool_calls = passed(Message, "tool_calls", list[dict[str, Any]])
    body = passed(Message, "body", dict[str, Any])
    raw = passed(Message, "raw", bytes)
    id = passed(Message, "id", str)
    state = passed(Message, "state", str)
    pinned = passed(Message, "pinned", bool)
    metadata = passed(Message, "metadata", dict[str, Any])
    provenance = passed(Message, "provenance", dict[str, Any])
    format = passed(Message, "format", str)

    @property
    def thread(self) -> AsyncThread:
        """The thread it is of."""
        return AsyncThread(self._runner, self.sync.thread)

    @property
    def created_at(self) -> datetime:
        """When it was stored; aware, UTC."""
        return self.sync.created_at

    @property
    def idempotency_key(self) -> str | None:
        """The key of its append, on the first message of it."""
        return self.sync.idempotency_key

    async def load(self) -> AsyncMessage:
        """Reads all that a page does not carry; returns the message itself."""
        await self._run(lambda: self.sync.format)
        return self

    async def replace(
        self,
        body: Mapping[str, Any] | bytes,
        *,
        if_rev: int | None = None,
        state: str | None = None,
        pinned: bool | None = None,
    ) -> AsyncMessage:
        """Replaces the body, see Message.replace."""
        found = await self._run(self.sync.replace, body, if_rev=if_rev, state=state, pinned=pinned)
        return AsyncMessage(self._runner, found)

    async def update_metadata(
        self, patch: Mapping[str, Any], *, if_rev: int | None = None, pinned: bool | None = None
    ) -> AsyncMessage:
        """Changes the metadata, see Message.update_metadata."""
        found = await self._run(self.sync.update_metadata, patch, if_rev=if_rev, pinned=pinned)
        return AsyncMessage(self._runner, found)

    async def delete(self, *, erase: bool = False, if_rev: int | None = None) -> None:
        """Deletes the message, see Message.delete."""
        await self._run(self.sync.delete, erase=erase, if_rev=if_rev)


class AsyncMessages:
    """Messages in order: ``async for`` reads them page by page, ``await`` reads them all."""

    def __init__(self, runner: Runner, messages: Messages) -> None:
        self.sync = messages
        self._runner = runner

    async def _pages(self, source: Any) -> AsyncIterator[AsyncMessage]:
        messages = iter(source)
        while True:
            page = await self._runner.run(_take, messages)
            if not page:
                return
            for message in page:
                yield AsyncMessage(self._runner, message)

    def __aiter__(self) -> AsyncIterator[AsyncMessage]:
        return self._pages(self.sync)

    def reversed(self) -> AsyncIterator[AsyncMessage]:
        """From the last to the first: ``async for message in messages.reversed()``."""
        return self._pages(_Lazily(self.sync))

    async def _all(self) -> list[AsyncMessage]:
        found = await self._runner.run(list, self.sync)
        return [AsyncMessage(self._runner, message) for message in found]

    def __await__(self) -> Generator[Any, None, list[AsyncMessage]]:
        return self._all().__await__()


class _Lazily:  # pylint: disable=too-few-public-methods
    """reversed() of messages, begun only in the pool."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def __iter__(self) -> Any:
        # A generator's body does not run before its first next.
        yield from reversed(self._messages)


def _take(messages: Any) -> list[Message]:
    """About a page: what a cursor has read already costs nothing."""
    return [message for _, message in zip(range(250), messages)]


class AsyncThread(Wrapped[Thread]):
    """One conversation, see Thread. What its properties say is read when it is not known yet;
    await ``get`` first to do that off the event loop.
    """

    __slots__ = ()

    id = passed(Thread, "id", str)
    version = passed(Thread, "version", int)
    rev = passed(Thread, "rev", int)
    metadata = passed(Thread, "metadata", dict[str, Any])

    @property
    def title(self) -> str | None:
        """Its title, None if it has none."""
        return self.sync.title

    @property
    def created_at(self) -> datetime:
        """When it was created; aware, UTC."""
        return self.sync.created_at

    @property
    def updated_at(self) -> datetime:
        """When it was last changed or appended to; aware, UTC."""
        return self.sync.updated_at

    @property
    def last_message_at(self) -> datetime | None:
        """When its last message was stored; None without messages."""
        return self.sync.last_message_at

    @overload
    async def append(
        self, message: str, text: str, /, **options: Unpack[AppendOptions]
    ) -> Receipt: ...

    @overload
    async def append(
        self,
        message: Mapping[str, Any] | Sequence[Mapping[str, Any]] | bytes,
        /,
        **options: Unpack[AppendOptions],
    ) -> Receipt: ...

    async def append(
        self, message: Any, text: Any = None, /, **options: Unpack[AppendOptions]
    ) -> Receipt:
        """Appends messages, see Thread.append."""
        return await self._run(lambda: self.sync.append(message, text, **options))

    async def update(
        self,
        *,
        title: str | None | Unset = UNSET,
        metadata: Mapping[str, Any] | None | Unset = UNSET,
        if_version: int | None = None,
    ) -> ThreadInfo:
        """Changes title and metadata, see Thread.update."""
        return await self._run(
            self.sync.update, title=title, metadata=metadata, if_version=if_version
        )

    async def fork(
        self,
        *,
        at_seq: int | None = None,
        id: str | None = None,  # pylint: disable=redefined-builtin
        title: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        created_at: datetime | None = None,
    ) -> AsyncThread:
        """Starts a new thread that shares this one's messages, see Thread.fork."""
        found = await self._run(
            self.sync.fork,
            at_seq=at_seq,
            id=id,
            title=title,
            metadata=metadata,
            created_at=created_at,
        )
        return AsyncThread(self._runner, found)

    async def delete(self, *, erase: bool = False, if_version: int | None = None) -> None:
        """Deletes the thread and its messages, see Threads.delete."""
        await self._run(self.sync.delete, erase=erase, if_version=if_version)

    async def bodies(self, last: int | None = None) -> list[dict[str, Any]]:
        """The messages as the dicts that were given, see Thread.bodies."""
        return await self._run(self.sync.bodies, last)

    def messages(  # pylint: disable=too-many-arguments
        self,
        last: int | None = None,
        *,
        from_seq: int | None = None,
        to_seq: int | None = None,
        after_seq: int | None = None,
        before_seq: int | None = None,
        limit: int | None = None,
        page_size: int | None = None,
        descending: bool = False,
        include_deleted: bool = False,
    ) -> AsyncMessages:
        """The messages in order, for ``async for`` or ``await``; see Thread.messages."""
        messages = self.sync.messages(
            last,
            from_seq=from_seq,
            to_seq=to_seq,
            after_seq=after_seq,
            before_seq=before_seq,
            limit=limit,
            page_size=page_size,
            descending=descending,
            include_deleted=include_deleted,
        )
        return AsyncMessages(self._runner, messages)

    async def message(self, which: int | str) -> AsyncMessage:
        """One message, by seq or by id, see Thread.message."""
        return AsyncMessage(self._runner, await self._run(self.sync.message, which))

    async def count(self) -> int:
        """How many messages it has, deleted ones not counted."""
        return await self._run(self.sync.count)

    async def context(
        self,
        max_tokens: int | None = None,
        *,
        strategy: Strategy | Pipeline | None = None,
        provider: str | None = None,
        examine: int | None = None,
    ) -> Window:
        """Chooses what the model sees, see Thread.context."""
        return await self._run(
            self.sync.context, max_tokens, strategy=strategy, provider=provider, examine=examine
        )

    async def get(self) -> ThreadInfo:
        """The thread's document, read anew."""
        return await self._run(self.sync.get)

    def close(self) -> None:
        """Frees the handle, not the thread."""
        self.sync.close()
