"""A thread as a document: its handle, title, metadata, times."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any

from ._arguments import UNSET, Unset
from ._calls import call_bytes, call_handle
from ._checks import mapping, text
from ._handle import Handle
from ._lib import lib

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .info import ThreadInfo
    from .store import Store

_opening = Lock()


class ThreadDocument(Handle):
    """What Thread has of its document; see there."""

    __slots__ = ("_info", "id", "store")

    _release = staticmethod(lib.memex_thread_free)

    def __init__(
        self, store: Store, identifier: str, handle: int = 0, info: ThreadInfo | None = None
    ) -> None:
        super().__init__(handle)
        self.store = store
        self.id = identifier
        self._info = info

    def _check_open(self) -> None:
        # A handle of its own is opened when it is needed.
        _ = self.store.handle

    @property
    def handle(self) -> int:
        """The native handle, opened when there is none yet.

        Raises:
            NotFoundError, ClosedError: The thread was deleted, the store closed.
        """
        if not self._handle:
            identifier = self.id.encode()
            with _opening:
                if not self._handle:
                    self._handle = call_handle(
                        lib.memex_thread_open, self.store.handle, identifier, len(identifier)
                    )
        return self._handle

    def get(self) -> ThreadInfo:
        """The thread's document, read anew.

        Raises:
            NotFoundError: The thread was deleted.
        """
        from .info import ThreadInfo  # pylint: disable=import-outside-toplevel

        self._info = ThreadInfo.from_json(call_bytes(lib.memex_thread_get, self.handle))
        return self._info

    def forget(self) -> None:
        """Drops the document that was last seen, so that the next look reads it anew."""
        self._info = None

    @property
    def _document(self) -> ThreadInfo:
        return self._info or self.get()

    @property
    def title(self) -> str | None:
        """Its title, None if it has none."""
        return self._document.title

    @property
    def metadata(self) -> dict[str, Any]:
        """Its metadata; {} when it has none. Changed by update."""
        return self._document.metadata

    @property
    def version(self) -> int:
        """Raised by each change of title and metadata; for if_version."""
        return self._document.version

    @property
    def rev(self) -> int:
        """Raised by every change, appends too."""
        return self._document.rev

    @property
    def created_at(self) -> datetime:
        """When it was created; aware, UTC."""
        return self._document.created_at

    @property
    def updated_at(self) -> datetime:
        """When it was last changed or appended to; aware, UTC."""
        return self._document.updated_at

    @property
    def last_message_at(self) -> datetime | None:
        """When its last message was stored; None without messages."""
        return self._document.last_message_at

    def update(
        self,
        *,
        title: str | None | Unset = UNSET,
        metadata: Mapping[str, Any] | None | Unset = UNSET,
        if_version: int | None = None,
    ) -> ThreadInfo:
        """Changes the title and, by a JSON merge patch, the metadata.

        Args:
            title: The new title; None removes it.
            metadata: Keys to set, and with None to remove; None removes all.
            if_version: ConflictError unless the document has this version.

        Returns:
            The document after the change.
        """
        from ._json import dump  # pylint: disable=import-outside-toplevel
        from ._options import pack  # pylint: disable=import-outside-toplevel
        from .info import ThreadInfo  # pylint: disable=import-outside-toplevel

        patch: dict[str, Any] = {}
        if not isinstance(title, Unset):
            patch["title"] = None if title is None else text("title", title)
        if not isinstance(metadata, Unset):
            patch["metadata"] = None if metadata is None else mapping("metadata", metadata)
        data = dump(patch)
        options = pack({"if_version": if_version})
        answer = call_bytes(
            lib.memex_thread_update, self.handle, data, len(data), options, len(options)
        )
        # A transaction answers with nothing: the document comes from its commit.
        self._info = ThreadInfo.from_json(answer) if answer else None
        return self._info or self.get()
