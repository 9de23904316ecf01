"""Messages, for asyncio."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ._async_base import Wrapped, passed
from .message import Message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Mapping

    from ._aio_runner import Runner
    from ._aio_thread import AsyncThread
    from .messages import Messages


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
    created_at = passed(Message, "created_at", datetime)

    @property
    def thread(self) -> AsyncThread:
        """The thread it is of."""
        from ._aio_thread import AsyncThread  # pylint: disable=import-outside-toplevel

        return AsyncThread(self._runner, self.sync.thread)

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

    async def page(self) -> list[AsyncMessage]:
        """The next page, see Messages.page."""
        found = await self._runner.run(self.sync.page)
        return [AsyncMessage(self._runner, message) for message in found]

    @property
    def token(self) -> str:
        """Continues after the last page that was read, in any process; "" at the end."""
        return self.sync.token

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
