"""The conversations of a store, for asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._aio_thread import AsyncThread
from ._async_base import Wrapped
from .errors import NotFoundError
from .threads import ThreadList, Threads

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Literal

    from ._aio_runner import Runner


class AsyncThreads(Wrapped[Threads]):
    """The conversations of a store, see Threads."""

    __slots__ = ()

    async def create(
        self,
        *,
        title: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        id: str | None = None,  # pylint: disable=redefined-builtin
        created_at: datetime | None = None,
    ) -> AsyncThread:
        """Creates a thread, see Threads.create."""
        found = await self._run(
            self.sync.create, title=title, metadata=metadata, id=id, created_at=created_at
        )
        return AsyncThread(self._runner, found)

    async def open(self, id: str) -> AsyncThread:  # pylint: disable=redefined-builtin
        """Opens a thread by id, see Threads.open."""
        return AsyncThread(self._runner, await self._run(self.sync.open, id))

    async def get(self, id: str) -> AsyncThread | None:  # pylint: disable=redefined-builtin
        """Opens a thread by id; None when there is none."""
        try:
            return await self.open(id)
        except NotFoundError:
            return None

    async def delete(
        self,
        id: str,  # pylint: disable=redefined-builtin
        *,
        erase: bool = False,
        if_version: int | None = None,
    ) -> None:
        """Deletes a thread and its messages, see Threads.delete."""
        await self._run(self.sync.delete, id, erase=erase, if_version=if_version)

    def list(
        self,
        *,
        order: Literal["activity", "created"] | None = None,
        descending: bool | None = None,
        filter: Mapping[str, Any] | None = None,  # pylint: disable=redefined-builtin
        metadata: Mapping[str, Any] | None = None,
        root: str | None = None,
        limit: int | None = None,
        page_size: int | None = None,
        cursor: str | None = None,
    ) -> AsyncThreadList:
        """Lists threads, for ``async for``; see Threads.list."""
        query = {
            "order": order,
            "descending": descending,
            "filter": filter,
            "metadata": metadata,
            "root": root,
            "limit": limit,
            "page_size": page_size,
            "cursor": cursor,
        }
        return AsyncThreadList(self._runner, self.sync, query)


class AsyncThreadList:
    """Threads, read page by page; one task at a time may use it."""

    def __init__(self, runner: Runner, threads: Threads, query: dict[str, Any]) -> None:
        self._runner = runner
        self._threads = threads
        self._query = query
        self._list: ThreadList | None = None
        self._left: list[AsyncThread] = []

    @property
    def token(self) -> str:
        """Continues after the last page that was read, in any process; "" at the end.

        Before the first page it leads to that.
        """
        if self._list is None:
            self._list = self._threads.list(**self._query)
        return self._list.token

    async def page(self) -> list[AsyncThread]:
        """The next page; [] at the end."""
        if self._list is None:
            self._list = await self._runner.run(self._threads.list, **self._query)
        found = await self._runner.run(self._list.page)
        return [AsyncThread(self._runner, thread) for thread in found]

    def __aiter__(self) -> AsyncThreadList:
        return self

    async def __anext__(self) -> AsyncThread:
        if not self._left:
            self._left = (await self.page())[::-1]
            if not self._left:
                raise StopAsyncIteration
        return self._left.pop()
