"""What callbacks into Python have in common."""

from __future__ import annotations

from ctypes import string_at
from itertools import count
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

from . import _ffi
from ._calls import call, note_raised
from ._checks import utf8
from ._lib import lib

if TYPE_CHECKING:
    Reply = int | None

Value = TypeVar("Value")

OK = _ffi.MEMEX_CALLBACK_OK
CONFLICT = _ffi.MEMEX_CALLBACK_CONFLICT
FAILED = 0


class Table(Generic[Value]):
    """Python objects under numbers, which the library carries as its user_data."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._numbers = count(1)
        self._values: dict[int, Value] = {}

    def add(self, value: Value) -> int:
        """Keeps an object until it is removed; returns its number, never 0."""
        with self._lock:
            number = next(self._numbers)
            self._values[number] = value
            return number

    def __getitem__(self, number: int | None) -> Value:
        return self._values[number or 0]

    def remove(self, number: int | None) -> Value | None:
        """Forgets an object."""
        with self._lock:
            return self._values.pop(number or 0, None)

    def __len__(self) -> int:
        return len(self._values)


def text(data: int | None, length: int) -> bytes:
    """Bytes that the library lends to a callback."""
    return string_at(data, length) if data and length else b""


def failed(reply: Reply, error: BaseException) -> int:
    """Tells the library that a callback failed, and keeps what it raised for the caller."""
    reason = note_raised(error).encode()
    lib.memex_reply_failure(reply, reason, len(reason))
    return FAILED


def check(status: int, what: str) -> None:
    """Raises when the library did not take an answer."""
    if status:
        raise ValueError(f"the library did not take the {what}: {status}")


def unregister(kind: str, name: str) -> None:
    """Removes a registration.

    Raises:
        NotFoundError: There is none of that name.
    """
    encoded = utf8("name", name)
    call(lib.memex_unregister, kind.encode(), len(kind), encoded, len(encoded))
