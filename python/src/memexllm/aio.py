"""memexllm for asyncio: the same names, awaited.

    async with memexllm.aio.open("sqlite:///chat.db") as store:
        thread = await store.threads.create(title="Order 17")
        await thread.append("user", "Where is my order?")
        async for message in thread.messages(last=50):
            print(message.seq, message.role, message.content)

Each store has a bounded pool of threads in which the library is called. A task that is cancelled
leaves no half-done call behind: it was never begun, or it has finished when the task ends.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypedDict

from . import store as _store
from ._aio_message import AsyncMessage, AsyncMessages
from ._aio_runner import Runner
from ._aio_thread import AsyncThread
from ._aio_threads import AsyncThreadList, AsyncThreads
from ._aio_transaction import AsyncTransaction
from ._async_base import Wrapped, passed
from .store import Store

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import TracebackType
    from typing import Literal

    from typing_extensions import Unpack

    from .tokens import Tokenizer


class OpenOptions(TypedDict, total=False):
    """Options of memexllm.open."""

    durability: Literal["full", "normal"]
    timeout: float
    create: bool
    read_only: bool
    tokenizer: str | Tokenizer


class _Opening:
    """What open returns: await it, or use it in ``async with``."""

    def __init__(self, url: str, workers: int, options: OpenOptions) -> None:
        self._url = url
        self._workers = workers
        self._options = options
        self._opened: AsyncStore | None = None

    async def _open(self) -> AsyncStore:
        runner = Runner(self._workers)
        try:
            opened = await runner.run(_store.open, self._url, **self._options)
        except BaseException:
            runner.shut_down()
            raise
        runner.store = opened
        self._opened = AsyncStore(runner, opened)
        return self._opened

    def __await__(self) -> Generator[Any, None, AsyncStore]:
        return self._open().__await__()  # pylint: disable=no-member

    async def __aenter__(self) -> AsyncStore:
        return await self._open()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._opened is not None:
            await self._opened.close()


def open(  # pylint: disable=redefined-builtin
    url: str, *, workers: int = 4, **options: Unpack[OpenOptions]
) -> _Opening:
    """Opens a store, see memexllm.open: ``await open(url)`` or ``async with open(url) as store``.

    Args:
        url: See memexllm.open.
        workers: How many calls may run at once.
        options: See memexllm.open.
    """
    return _Opening(url, workers, options)


class AsyncStore(Wrapped[Store]):
    """A set of conversations, see Store."""

    __slots__ = ("_owner",)

    url = passed(Store, "url", str)

    @property
    def tokenizer(self) -> str | Tokenizer | None:
        """What it was opened to count messages with; None for the estimate."""
        return self.sync.tokenizer

    def __init__(self, runner: Runner, value: Store, owner: bool = True) -> None:
        super().__init__(runner, value)
        # A session shares the pool of its store.
        self._owner = owner

    @property
    def threads(self) -> AsyncThreads:
        """Its conversations."""
        return AsyncThreads(self._runner, self.sync.threads)

    async def session(
        self, *, tenant: str | None = None, principal: str | None = None
    ) -> AsyncStore:
        """Narrows the store to a tenant and a principal, see Store.session."""
        found = await self._run(self.sync.session, tenant=tenant, principal=principal)
        return AsyncStore(self._runner, found, owner=False)

    def transaction(self) -> AsyncTransaction:
        """Begins to collect changes, for ``async with``; see Store.transaction."""
        return AsyncTransaction(self._runner, self.sync.transaction())

    async def flush(self) -> None:
        """Makes everything acknowledged so far as durable as the engine can."""
        await self._run(self.sync.flush)

    def interrupt(self) -> None:
        """Ends the waits of all calls that wait on this store now, with errors.CancelledError."""
        self._runner.interruptions += 1
        self.sync.interrupt()

    async def command(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Runs a command of the control plane by name, see Store.command."""
        return await self._run(self.sync.command, name, **arguments)

    async def stats(self) -> dict[str, Any]:
        """Figures and capabilities of the engine."""
        return await self._run(self.sync.stats)

    async def close(self) -> None:
        """Closes the store; calls that run finish, those that wait fail."""
        # Not in the pool, whose threads may all be waiting.
        await asyncio.shield(asyncio.to_thread(self.sync.close))
        if self._owner:
            self._runner.shut_down()

    async def __aenter__(self) -> AsyncStore:
        self.sync.__enter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


__all__ = [
    "AsyncMessage",
    "AsyncMessages",
    "AsyncStore",
    "AsyncThread",
    "AsyncThreadList",
    "AsyncThreads",
    "AsyncTransaction",
    "OpenOptions",
    "open",
]
