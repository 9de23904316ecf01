"""Conversations, for asyncio."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, overload

from ._aio_message import AsyncMessage, AsyncMessages
from ._arguments import UNSET
from ._async_base import Wrapped, passed
from .thread import Thread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Unpack

    from ._arguments import Unset
    from ._options import AppendOptions
    from .context import Pipeline, Strategy, Window
    from .info import ThreadInfo
    from .receipt import Receipt
    from .tokens import Tokenizer


class AsyncThread(Wrapped[Thread]):
    """One conversation, see Thread. What its properties say is read when it is not known yet;
    await ``get`` first to do that off the event loop.
    """

    __slots__ = ()

    id = passed(Thread, "id", str)
    version = passed(Thread, "version", int)
    rev = passed(Thread, "rev", int)
    metadata = passed(Thread, "metadata", dict[str, Any])
    created_at = passed(Thread, "created_at", datetime)
    updated_at = passed(Thread, "updated_at", datetime)

    @property
    def title(self) -> str | None:
        """Its title, None if it has none."""
        return self.sync.title

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
        cursor: str | None = None,
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
            cursor=cursor,
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
        tokenizer: str | Tokenizer | None = None,
    ) -> Window:
        """Chooses what the model sees, see Thread.context."""
        return await self._run(
            self.sync.context,
            max_tokens,
            strategy=strategy,
            provider=provider,
            examine=examine,
            tokenizer=tokenizer,
        )

    async def get(self) -> ThreadInfo:
        """The thread's document, read anew."""
        return await self._run(self.sync.get)

    def close(self) -> None:
        """Frees the handle, not the thread."""
        self.sync.close()
