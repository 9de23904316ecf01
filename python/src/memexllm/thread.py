"""One conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from ._arguments import as_text, json_of, role_and_text
from ._calls import again, call_bytes, call_handle, put_slot, take_slot
from ._checks import integer
from ._lib import lib
from ._thread_reading import ThreadReading
from .receipt import Receipt, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from typing_extensions import Unpack

    from ._options import AppendOptions
    from .message import Message
    from .messages import Messages

_append = lib.memex_thread_append
_append_text = lib.memex_thread_append_text


class Thread(ThreadReading):
    """One conversation of a store. Safe to use from several threads at once.

    ``title``, ``metadata`` and the other properties are of the document as this object last saw
    it; its own writes are seen at once, those of others after ``get``. ``count`` and reads of
    messages are always of now.

    Attributes:
        store: The store, session or transaction it was opened on.
        id: Its id.
    """

    __slots__ = ()

    # Writing ----------------------------------------------------------------------------------

    @overload
    def append(self, message: str, text: str, /, **options: Unpack[AppendOptions]) -> Receipt: ...

    @overload
    def append(
        self,
        message: Mapping[str, Any] | Sequence[Mapping[str, Any]] | bytes,
        /,
        **options: Unpack[AppendOptions],
    ) -> Receipt: ...

    def append(
        self,
        message: str | Mapping[str, Any] | Sequence[Mapping[str, Any]] | bytes,
        text: str | None = None,
        /,
        **options: Unpack[AppendOptions],
    ) -> Receipt:
        """Appends messages, all or none; when it returns they are as durable as the store is.

        Either a role and plain text, ``append("user", "Hello")``, which needs no JSON at all, or
        messages: a dict, a list of dicts, or bytes that are JSON of either and are kept as they
        are.

        Args:
            message: A role, or one or several messages.
            text: The text, when message is a role. Anything but lone surrogates, NUL too.
            options: See AppendOptions.

        Returns:
            What was stored where.

        Raises:
            InvalidError: With the path or the offset of what is wrong.
            ExistsError: The id is taken.
            ConflictError: expect_seq did not hold, or the idempotency key came with other bytes.
            NotFoundError: The thread was deleted.
            TimedOutError, ClosedError, StorageError: See there.
        """
        extra: Any = None
        length = 0
        if options:
            from ._options import pack  # pylint: disable=import-outside-toplevel

            extra = pack(options)
            length = len(extra)
        handle = self._handle or self.handle
        if text is None and isinstance(message, dict) and len(message) == 2:
            # The usual message: as text it costs no JSON, neither here nor in the library.
            message, text = as_text(message)
        if text is not None:
            role, data = role_and_text(message, text)
            slot = take_slot()
            status = _append_text(
                handle, role, len(role), data, len(data), extra, length, slot.receipt, slot.error
            )
        else:
            data = message if isinstance(message, bytes) else json_of(message)
            slot = take_slot()
            status = _append(handle, data, len(data), extra, length, slot.receipt, slot.error)
        if status:
            begin = (_append, handle) if text is None else (_append_text, handle, role, len(role))
            again(status, slot, *begin, data, len(data), extra, length, slot.receipt, slot.error)
        values = unpack(slot.receipt)
        put_slot(slot)
        self._info = None
        return Receipt(self, values)

    def fork(
        self,
        *,
        at_seq: int | None = None,
        id: str | None = None,  # pylint: disable=redefined-builtin
        title: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        created_at: datetime | None = None,
    ) -> Thread:
        """Starts a new thread that shares this one's messages up to at_seq (default: the last).

        Nothing is copied; what is appended later to either is seen by that one alone.

        Raises:
            InvalidError, NotFoundError, ExistsError: at_seq is none of the thread's; the thread
                was deleted; the id is taken.
        """
        from ._options import pack  # pylint: disable=import-outside-toplevel

        options = pack(
            {
                "at_seq": at_seq,
                "id": id,
                "title": title,
                "metadata": metadata,
                "created_at": created_at,
            }
        )
        handle = call_handle(lib.memex_thread_fork, self.handle, options, len(options))
        return Thread(self.store, thread_id(handle), handle)

    def delete(self, *, erase: bool = False, if_version: int | None = None) -> None:
        """Deletes the thread and its messages, see Threads.delete."""
        self.store.threads.delete(self.id, erase=erase, if_version=if_version)
        self._info = None

    # Reading ----------------------------------------------------------------------------------

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
    ) -> Messages:
        """The messages in order, as a sequence that is read page by page.

        Args:
            last: Only so many, counted from the end.
            from_seq: The first seq; with to_seq, both included.
            to_seq: The last seq.
            after_seq: What comes after a seq, at most limit.
            before_seq: What comes before a seq, at most limit.
            limit: At most so many.
            page_size: How many to read at once.
            descending: The newest first.
            include_deleted: With the tombstones of deleted messages.
            cursor: Continues where a token of Messages.token ended.
        """
        from .messages import Messages  # pylint: disable=import-outside-toplevel

        query = {
            "last": last,
            "from_seq": from_seq,
            "to_seq": to_seq,
            "after_seq": after_seq,
            "before_seq": before_seq,
            "limit": limit,
            "page_size": page_size,
            "descending": descending if descending is not False else None,
            "include_deleted": include_deleted if include_deleted is not False else None,
            "cursor": cursor,
        }
        return Messages(self, query)

    def message(self, which: int | str) -> Message:
        """One message, by seq (a number) or by id (text).

        Raises:
            NotFoundError: There is none, or it was deleted.
        """
        from .message import from_json  # pylint: disable=import-outside-toplevel

        if isinstance(which, str):
            identifier = which.encode("utf-8", "surrogatepass")
            handle = call_handle(lib.memex_message_open, self.handle, identifier, len(identifier))
        else:
            handle = call_handle(lib.memex_message_at, self.handle, integer("seq", which))
        try:
            return from_json(self, call_bytes(lib.memex_message_json, handle))
        finally:
            lib.memex_message_free(handle)

    def __iter__(self) -> Iterator[Message]:
        return iter(self.messages())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Thread):
            return NotImplemented
        return self.id == other.id and self.store is other.store

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<Thread {self.id}>"

    def _repr_html_(self) -> str:
        from ._html import thread  # pylint: disable=import-outside-toplevel

        return thread(self)


def thread_id(handle: int) -> str:
    """The id behind a handle of a thread."""
    return (lib.memex_thread_id(handle) or b"").decode()
