"""Changes that are applied together, for asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._aio_threads import AsyncThreads
from ._async_base import Wrapped, passed
from .transaction import Transaction

if TYPE_CHECKING:
    from types import TracebackType


class AsyncTransaction(Wrapped[Transaction]):
    """Changes that are applied together or not at all, see Transaction."""

    __slots__ = ()

    results = passed(Transaction, "results", list[dict[str, Any]])

    @property
    def threads(self) -> AsyncThreads:
        """The conversations of the store; writes through them are collected."""
        return AsyncThreads(self._runner, self.sync.threads)

    async def commit(self) -> list[dict[str, Any]]:
        """Applies all changes or none."""
        return await self._run(self.sync.commit)

    def rollback(self) -> None:
        """Forgets all changes."""
        self.sync.rollback()

    async def __aenter__(self) -> AsyncTransaction:
        self.sync.__enter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._run(self.sync.__exit__, kind, error, trace)
