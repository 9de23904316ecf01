"""What of a message is read only when it is asked for: its envelope and its bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _pages
from ._calls import call_bytes, call_handle
from ._lib import lib
from .errors import ConflictError

if TYPE_CHECKING:
    from ._pages import Row
    from .thread import Thread


class MessageEnvelope:
    """What Message has of its envelope; see there."""

    __slots__ = (
        "_body",
        "_code",
        "_created_at_us",
        "_envelope",
        "_kind",
        "_raw",
        "_text",
        "rev",
        "seq",
        "thread",
        "tokens",
    )

    def __init__(self, thread: Thread, row: Row) -> None:
        self.thread = thread
        self.seq, self._created_at_us, self.rev, self.tokens, self._kind, self._code, self._text = (
            row
        )
        self._body: dict[str, Any] | None = None
        self._envelope: dict[str, Any] | None = None
        self._raw: bytes | None = None

    @property
    def raw(self) -> bytes:
        """The body byte for byte as it was given; b"" for a deleted message.

        Raises:
            ConflictError: It was changed since this message was read.
            NotFoundError: It was deleted since this message was read.
        """
        if self._raw is None:
            if self._kind & _pages.DELETED:
                self._raw = b""
            elif self._code:
                self._read()
            else:
                self._raw = self._text.encode()
        return self._raw or b""

    @property
    def id(self) -> str:
        """Its id: the caller's, or a generated one; a deleted message keeps it."""
        if self._envelope is None:
            with OpenMessage(self) as handle:
                return (lib.memex_message_id(handle) or b"").decode()
        return str(self._read()["id"])

    @property
    def metadata(self) -> dict[str, Any]:
        """Its metadata; {} when it has none."""
        return self._extra("metadata")

    @property
    def provenance(self) -> dict[str, Any]:
        """Where it comes from, as given when it was stored; {} when nothing was."""
        return self._extra("provenance")

    @property
    def format(self) -> str:
        """Dialect of the body, "openai.chat" by default."""
        return str(self._read()["format"])

    @property
    def idempotency_key(self) -> str | None:
        """The key of its append, on the first message of it."""
        return self._read().get("idempotency_key")

    def _extra(self, name: str) -> dict[str, Any]:
        if not self._kind & _pages.EXTRA:
            return {}
        return self._read().get(name) or {}

    def _read(self) -> dict[str, Any]:
        """The envelope, read once."""
        if self._envelope is None:
            from ._json import members  # pylint: disable=import-outside-toplevel

            with OpenMessage(self) as handle:
                text = call_bytes(lib.memex_message_json, handle).decode()
            envelope, raw = members(text)
            if envelope["rev"] != self.rev:
                raise ConflictError(
                    f"message {self.seq} was changed since it was read: read it again",
                    details={"rev": envelope["rev"], "if_rev": self.rev},
                )
            self._envelope, self._raw = envelope, raw
        return self._envelope


class OpenMessage:
    """A message's handle for the length of a `with` block."""

    __slots__ = ("_handle", "_message")

    def __init__(self, message: MessageEnvelope) -> None:
        self._message = message
        self._handle = 0

    def __enter__(self) -> int:
        message = self._message
        self._handle = call_handle(lib.memex_message_at, message.thread.handle, message.seq)
        return self._handle

    def __exit__(self, *_: object) -> None:
        lib.memex_message_free(self._handle)
