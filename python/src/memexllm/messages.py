"""Several messages of a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from . import _pages
from ._calls import call_handle
from ._cursor import Cursor
from ._json import dump
from ._lib import lib
from ._options import document
from .message import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .thread import Thread


class Messages(Sequence[Message]):
    """Messages in order, read page by page.

    Iterating reads as it goes, so that a long thread never is in memory at once; the end is where
    the thread ended when the iteration began. ``len``, an index or a slice reads and keeps all.
    ``page`` and ``token`` are for reading a part now and the next one later, perhaps elsewhere.
    """

    def __init__(self, thread: Thread, query: Mapping[str, Any]) -> None:
        self._thread = thread
        self._query = document(query)
        self._kept: list[Message] | None = None
        self._cursor: Cursor | None = None

    def _open(self, query: dict[str, Any]) -> Cursor:
        data = dump({"page_size": _pages.PAGE_SIZE, **query, "layout": "packed"})
        return Cursor(call_handle(lib.memex_thread_messages, self._thread.handle, data, len(data)))

    def _read(self, query: dict[str, Any]) -> Iterator[Message]:
        thread = self._thread
        with self._open(query) as cursor:
            while page := cursor.next():
                for row in _pages.rows(page):
                    yield Message(thread, row)
                if _pages.is_last(page):
                    return

    def _paging(self) -> Cursor:
        if self._cursor is None:
            self._cursor = self._open(self._query)
        return self._cursor

    def page(self) -> list[Message]:
        """The next page, of page_size messages; [] at the end. Iterations do not move it."""
        data = self._paging().next()
        return [Message(self._thread, row) for row in _pages.rows(data)] if data else []

    @property
    def token(self) -> str:
        """Continues after the last page that was read, in any process; "" at the end.

        Give it as cursor, with the other arguments as they were.
        """
        return self._paging().token

    def _all(self) -> list[Message]:
        if self._kept is None:
            self._kept = list(self._read(self._query))
        return self._kept

    def __iter__(self) -> Iterator[Message]:
        return iter(self._kept) if self._kept is not None else self._read(self._query)

    def __reversed__(self) -> Iterator[Message]:
        if self._kept is not None or {"limit", "before_seq", "cursor"} & self._query.keys():
            # With a limit the other end is not the same messages.
            return reversed(self._all())
        return self._read({**self._query, "descending": not self._query.get("descending", False)})

    @overload
    def __getitem__(self, index: int) -> Message: ...

    @overload
    def __getitem__(self, index: slice) -> list[Message]: ...

    def __getitem__(self, index: int | slice) -> Message | list[Message]:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        return self._all() == list(other) if isinstance(other, (list, Messages)) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Messages of {self._thread.id} {self._query or 'all'}>"

    def _repr_html_(self) -> str:
        from ._html import messages  # pylint: disable=import-outside-toplevel

        return messages(self)
