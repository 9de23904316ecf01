"""One message of a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _pages
from ._arguments import body_of
from ._calls import call
from ._checks import boolean, mapping
from ._lib import lib
from ._message_envelope import MessageEnvelope, OpenMessage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from .thread import Thread


class Message(MessageEnvelope):
    """A message as it was when it was read.

    What a page does not carry (id, metadata, provenance, and raw of a plain message) is read when
    it is asked for; if the message was changed since, that raises ConflictError instead of mixing
    two versions. Safe to share between threads.

    Attributes:
        thread: The thread it is of.
        seq: Its place in the thread: 1, 2, ...; never used again.
        rev: Raised by every change; for ``if_rev``.
        tokens: How many tokens it was counted as when it was stored.
    """

    __slots__ = ()

    @property
    def role(self) -> str:
        """ "user", "assistant", ...; "" when the body has none."""
        known = _pages.ROLES[self._kind >> 8 & 0xFF]
        if known:
            return known
        role = self.body.get("role")
        return role if isinstance(role, str) else ""

    @property
    def content(self) -> Any:
        """Content of the body: text, a list of parts, or None."""
        if self._code:
            return self._text
        return self.body.get("content")

    @property
    def tool_calls(self) -> list[dict[str, Any]]:
        """Tool calls of the body; empty when there are none."""
        if self._code:
            return []
        return self.body.get("tool_calls") or []

    @property
    def body(self) -> dict[str, Any]:
        """The body as the dict that was given; {} for a deleted message."""
        if self._body is None:
            if self._kind & _pages.DELETED:
                self._body = {}
            elif self._code:
                self._body = {"role": self.role, "content": self._text}
            else:
                self._body = _pages.parse(self._text)
        return self._body

    @property
    def created_at(self) -> datetime:
        """When it was stored, or the time that was given with it; aware, UTC."""
        from ._time import from_us  # pylint: disable=import-outside-toplevel

        return from_us(self._created_at_us)

    @property
    def state(self) -> str:
        """ "complete", "incomplete" (cut off half-way) or "deleted"."""
        if self._kind & _pages.DELETED:
            return "deleted"
        return "incomplete" if self._kind & _pages.INCOMPLETE else "complete"

    @property
    def pinned(self) -> bool:
        """Whether windows keep it."""
        return bool(self._kind & _pages.PINNED)

    def replace(
        self,
        body: Mapping[str, Any] | bytes,
        *,
        if_rev: int | None = None,
        state: str | None = None,
        pinned: bool | None = None,
    ) -> Message:
        """Replaces the body; forks that share the message keep the old one.

        Args:
            body: The new message, as a dict or as JSON.
            if_rev: ConflictError unless the message has this rev.
            state: "complete" (default) or "incomplete".
            pinned: Whether windows keep it; as before if not given.

        Returns:
            The message as it is now.

        Raises:
            ConflictError, InvalidError, NotFoundError: See above.
        """
        options = {"if_rev": if_rev, "state": state, "pinned": pinned}
        self._change(lib.memex_message_replace, body_of(body), options)
        return self.thread.message(self.seq)

    def update_metadata(
        self,
        patch: Mapping[str, Any],
        *,
        if_rev: int | None = None,
        pinned: bool | None = None,
    ) -> Message:
        """Changes the metadata by a JSON merge patch: keys with None go, others are set.

        Returns:
            The message as it is now.

        Raises:
            ConflictError, InvalidError, NotFoundError: As for replace.
        """
        from ._json import dump  # pylint: disable=import-outside-toplevel

        data = dump(mapping("patch", patch))
        self._change(lib.memex_message_update_metadata, data, {"if_rev": if_rev, "pinned": pinned})
        return self.thread.message(self.seq)

    def delete(self, *, erase: bool = False, if_rev: int | None = None) -> None:
        """Deletes the message; its seq is never used again.

        Args:
            erase: Also from forks that share it, and from the engine's files; also when it is
                deleted already.
            if_rev: ConflictError unless the message has this rev.
        """
        options = {"if_rev": if_rev, "erase": boolean("erase", erase) or None}
        self._change(lib.memex_message_delete, None, options)

    def _change(self, function: Any, data: bytes | None, options: dict[str, Any]) -> None:
        from ._options import pack  # pylint: disable=import-outside-toplevel

        packed = pack(options)
        with OpenMessage(self) as handle:
            if data is None:
                call(function, handle, packed, len(packed))
            else:
                call(function, handle, data, len(data), packed, len(packed))
        self.thread.forget()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        mine = (self.thread.id, self.seq, self.rev)
        return mine == (other.thread.id, other.seq, other.rev)

    def __hash__(self) -> int:
        return hash((self.thread.id, self.seq))

    def __repr__(self) -> str:
        return f"<Message {self.seq} {self.role or '?'} {_short(self.content)}>"

    def _repr_html_(self) -> str:
        from ._html import message  # pylint: disable=import-outside-toplevel

        return message(self)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else "" if value is None else repr(value)
    return repr(text if len(text) <= 60 else text[:59] + "…")


def from_json(thread: Thread, data: bytes) -> Message:
    """A message from the library's `{envelope…, "body": …}`."""
    from ._json import members  # pylint: disable=import-outside-toplevel

    envelope, raw = members(data.decode())
    kind = (
        (_pages.INCOMPLETE if envelope["state"] == "incomplete" else 0)
        | (_pages.PINNED if envelope.get("pinned") else 0)
        | (_pages.EXTRA if "metadata" in envelope or "provenance" in envelope else 0)
    )
    row: Any = (
        envelope["seq"],
        envelope["created_at_us"],
        envelope["rev"],
        envelope["tokens"],
        kind,
        0,
        (raw or b"").decode(),
    )
    found = Message(thread, row)
    found._envelope, found._raw = envelope, raw  # pylint: disable=protected-access
    found._body = envelope.get("body")  # pylint: disable=protected-access
    return found
