"""Streams of the SDK that store what they bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._deltas import Completion
from ._messages import plain
from ._waiting import away

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ._turns import Turn


def record(turn: Turn, stream: Any) -> None:
    """Makes a stream of the SDK store what it brings, when it ends or is left."""
    pieces = getattr(stream, "_iterator", None)
    if pieces is None:
        return
    recorder = _Recorder(turn)
    close = stream.close
    if hasattr(pieces, "__anext__"):

        async def close_async() -> None:
            recorder.store()
            await close()

        stream._iterator = recorder.read_async(pieces)  # pylint: disable=protected-access
        stream.close = close_async
    else:

        def close_sync() -> None:
            recorder.store()
            close()

        stream._iterator = recorder.read(pieces)  # pylint: disable=protected-access
        stream.close = close_sync


class _Recorder:
    """Puts a stream's pieces together and stores them once."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._completion = Completion()
        self._stored = False

    def store(self) -> None:
        """Stores what came so far, unless that was done."""
        if not self._stored:
            self._stored = True
            self._turn.finish_stream(self._completion)

    def read(self, pieces: Iterator[Any]) -> Iterator[Any]:
        """Yields the stream's chunks."""
        try:
            for chunk in pieces:
                self._completion.add(plain(chunk))
                yield chunk
        finally:
            self.store()

    async def read_async(self, pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Yields the stream's chunks."""
        try:
            async for chunk in pieces:
                self._completion.add(plain(chunk))
                yield chunk
            await away(self.store)
        finally:
            # Cut off: stored before anything else can happen, in a thread or not.
            self.store()


class Manager:
    """What the SDK's stream() gives; leaving it stores what came, and not some time later."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manager, name)

    def __enter__(self) -> Any:
        events = self._manager.__enter__()
        stream, close = getattr(events, "_raw_stream", None), events.close

        def close_both() -> None:
            if stream is not None:
                stream.close()
            close()

        events.close = close_both
        return events

    def __exit__(self, *exception: Any) -> Any:
        return self._manager.__exit__(*exception)


class AsyncManager(Manager):
    """The same for asyncio."""

    async def __aenter__(self) -> Any:
        events = await self._manager.__aenter__()
        stream, close = getattr(events, "_raw_stream", None), events.close

        async def close_both() -> None:
            if stream is not None:
                await stream.close()
            await close()

        events.close = close_both
        return events

    async def __aexit__(self, *exception: Any) -> Any:
        return await self._manager.__aexit__(*exception)
