"""A thread's document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._json import loads

if TYPE_CHECKING:
    from datetime import datetime


class ThreadInfo:
    """What a thread's document said when it was read.

    Attributes:
        document: All of it as a dict, times as ``…_at_us`` in microseconds.
    """

    __slots__ = ("document",)

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    @classmethod
    def from_json(cls, data: bytes) -> ThreadInfo:
        """From the library's JSON."""
        return cls(loads(data))

    @property
    def id(self) -> str:
        """The thread's id."""
        return str(self.document["id"])

    @property
    def title(self) -> str | None:
        """Its title, None if it has none."""
        return self.document.get("title")

    @property
    def metadata(self) -> dict[str, Any]:
        """Its metadata; {} when it has none."""
        return self.document.get("metadata") or {}

    @property
    def version(self) -> int:
        """Raised by each change of title and metadata; for if_version."""
        return int(self.document["version"])

    @property
    def rev(self) -> int:
        """Raised by every change, appends too."""
        return int(self.document["rev"])

    @property
    def message_count(self) -> int:
        """How many messages it had, deleted ones not counted."""
        return int(self.document["message_count"])

    @property
    def created_at(self) -> datetime:
        """When it was created; aware, UTC."""
        return _time(self.document["created_at_us"])

    @property
    def updated_at(self) -> datetime:
        """When it was last changed or appended to; aware, UTC."""
        return _time(self.document["updated_at_us"])

    @property
    def last_message_at(self) -> datetime | None:
        """When its last message was stored; None without messages."""
        value = self.document.get("last_message_at_us")
        return None if value is None else _time(value)

    @property
    def root(self) -> str | None:
        """Id of the thread that a family of forks began with; None for a thread of its own."""
        return self.document.get("root")

    @property
    def base(self) -> dict[str, Any] | None:
        """Where it was forked: {"thread", "seq", "rev"}; None for a thread of its own."""
        return self.document.get("base")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ThreadInfo):
            return NotImplemented
        return self.document == other.document

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<ThreadInfo {self.id} {self.title!r}>"


def _time(value: int) -> datetime:
    from ._time import from_us  # pylint: disable=import-outside-toplevel

    return from_us(value)
