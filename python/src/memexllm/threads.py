"""The conversations of a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._calls import call, call_handle
from ._checks import ID_BYTES, boolean, mapping, utf8
from ._cursor import Cursor
from ._json import loads
from ._lib import lib
from ._options import pack
from .errors import InvalidError, NotFoundError
from .info import ThreadInfo
from .thread import Thread, thread_id

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Literal

    from .store import Store


class Threads:
    """The conversations of a store, a session or a transaction."""

    __slots__ = ("_store",)

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(
        self,
        *,
        title: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        id: str | None = None,  # pylint: disable=redefined-builtin
        created_at: datetime | None = None,
    ) -> Thread:
        """Creates a thread.

        Args:
            title: For people.
            metadata: Any JSON object; list finds threads by it.
            id: An id of the caller's; a UUIDv7 if not given.
            created_at: When, if not now.

        Raises:
            ExistsError: The id is taken.
        """
        options = pack({"id": id, "title": title, "metadata": metadata, "created_at": created_at})
        handle = call_handle(lib.memex_thread_create, self._store.handle, options, len(options))
        return Thread(self._store, thread_id(handle), handle)

    def open(self, id: str) -> Thread:  # pylint: disable=redefined-builtin
        """Opens a thread by id.

        Raises:
            NotFoundError: There is none.
        """
        name = utf8("id", id)
        handle = call_handle(lib.memex_thread_open, self._store.handle, name, len(name))
        return Thread(self._store, id, handle)

    def get(self, id: str) -> Thread | None:  # pylint: disable=redefined-builtin
        """Opens a thread by id; None when there is none."""
        try:
            return self.open(id)
        except NotFoundError:
            return None

    def delete(
        self,
        id: str,  # pylint: disable=redefined-builtin
        *,
        erase: bool = False,
        if_version: int | None = None,
    ) -> None:
        """Deletes a thread and its messages; those shared with forks stay until the last fork goes.

        Args:
            id: Its id.
            erase: Also from forks, and from the engine's files.
            if_version: ConflictError unless the document has this version.

        Raises:
            NotFoundError: There is none.
        """
        name = utf8("id", id)
        options = pack({"erase": boolean("erase", erase) or None, "if_version": if_version})
        call(
            lib.memex_thread_delete,
            self._store.handle,
            name,
            len(name),
            options,
            len(options),
        )

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
    ) -> ThreadList:
        """Lists threads, by last activity and the newest first if not told otherwise.

        Args:
            order: "activity" or "created".
            descending: False for the oldest first.
            filter: Conditions on fields, ``{"metadata": {"user": {"eq": "alice"}}, "message_count":
                {"gt": 10}}``; see memex_thread_list in memex.h.
            metadata: Short for a filter: each key has this value.
            root: Only the forks of a thread, and itself.
            limit: At most so many.
            page_size: How many to read at once.
            cursor: Continues where a token of ThreadList.token ended.

        Returns:
            An iterator that reads page by page.
        """
        conditions = dict(mapping("filter", filter)) if filter is not None else {}
        if metadata is not None and mapping("metadata", metadata):
            wanted = {"metadata": {key: {"eq": value} for key, value in metadata.items()}}
            conditions = {"and": [conditions, wanted]} if conditions else wanted
        query = pack(
            {
                "order": order,
                "descending": descending,
                "filter": conditions or None,
                "root": root,
                "limit": limit,
                "page_size": page_size,
                "cursor": cursor,
            }
        )
        handle = call_handle(lib.memex_thread_list, self._store.handle, query, len(query))
        return ThreadList(self._store, Cursor(handle))

    def __iter__(self) -> ThreadList:
        return self.list()

    def __contains__(self, id: object) -> bool:  # pylint: disable=redefined-builtin
        # What can be no id is the id of no thread.
        if not isinstance(id, str) or len(utf8("id", id)) > ID_BYTES:
            return False
        try:
            return self.get(id) is not None
        except InvalidError:
            return False

    def __getitem__(self, id: str) -> Thread:  # pylint: disable=redefined-builtin
        return self.open(id)


class ThreadList:
    """An iterator over threads that reads page by page; one thread at a time may use it."""

    __slots__ = ("_cursor", "_page", "_store")

    def __init__(self, store: Store, cursor: Cursor) -> None:
        self._store = store
        self._cursor = cursor
        self._page: list[Thread] = []

    @property
    def token(self) -> str:
        """Continues after the last page that was read, in any process; "" at the end.

        Before the first page it leads to that.
        """
        return self._cursor.token

    def page(self) -> list[Thread]:
        """What is left of this page, or the next page; [] at the end."""
        page, self._page = self._page, []
        if page:
            return page[::-1]
        data = self._cursor.next()
        found = loads(data)["threads"] if data else ()
        return [Thread(self._store, entry["id"], info=ThreadInfo(entry)) for entry in found]

    def __iter__(self) -> ThreadList:
        return self

    def __next__(self) -> Thread:
        if not self._page:
            self._page = self.page()[::-1]
            if not self._page:
                raise StopIteration
        return self._page.pop()
