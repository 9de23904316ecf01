"""Turns packed pages into objects. docs/reference/packed-page.md describes the layout."""

from __future__ import annotations

from ctypes import string_at
from struct import unpack_from
from typing import TYPE_CHECKING, Any

from ._calls import fail, put_slot, take_slot
from ._lib import lib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import NamedTuple

    class Row(NamedTuple):
        """One message of a packed page; code 0 says that text is the body, else its content."""

        seq: int
        created_at_us: int
        rev: int
        tokens: int
        kind: int
        code: int
        text: str


# kind bits; bits 8 to 15 are the role's place in ROLES, 0 for any other.
INCOMPLETE, DELETED, PINNED, EXTRA = 2, 4, 8, 16
ROLES = ("", "system", "user", "assistant", "tool", "developer", "function")
PAGE_SIZE = 250

_NUL_INSIDE, _LAST = 1, 2
_messages = lib.memex_thread_messages
_next = lib.memex_cursor_next
_free_bytes = lib.memex_bytes_free
_free_cursor = lib.memex_cursor_free


def _scan_lazily(text: str, index: int) -> tuple[Any, int]:
    global _scan  # pylint: disable=global-statement
    from ._json import scan  # pylint: disable=import-outside-toplevel

    _scan = scan
    return scan(text, index)


_scan: Callable[[str, int], tuple[Any, int]] = _scan_lazily


def parse(text: str) -> Any:
    """The value of a stored body, which has no spaces around it."""
    return _scan(text, 0)[0]


def _fields(page: bytes, count: int) -> Iterator[str]:
    """The texts of a page. One split and one decode each are faster than going by the lengths."""
    start = 16 + 37 * count
    if not page[8] & _NUL_INSIDE:
        return map(bytes.decode, page[start:].split(b"\0"))
    parts = []
    for length in unpack_from(f"<{count}I", page, 16 + 32 * count):
        parts.append(page[start : start + length])
        start += length + 1
    return map(bytes.decode, parts)


def bodies(page: bytes) -> list[dict[str, Any]]:
    """The messages of a page as dicts."""
    count = int.from_bytes(page[4:8], "little")
    codes = page[16 + 36 * count : 16 + 37 * count]
    scan, roles = _scan, ROLES
    return [
        {"role": roles[code], "content": text} if code else scan(text, 0)[0]
        for code, text in zip(codes, _fields(page, count))
    ]


def rows(page: bytes) -> Iterator[Row]:
    """The messages of a page."""
    count = int.from_bytes(page[4:8], "little")
    longs = unpack_from(f"<{3 * count}q", page, 16)
    numbers = unpack_from(f"<{2 * count}I", page, 16 + 24 * count)
    return zip(  # type: ignore[return-value]
        longs[:count],
        longs[count : 2 * count],
        longs[2 * count :],
        numbers[:count],
        numbers[count:],
        page[16 + 36 * count : 16 + 37 * count],
        _fields(page, count),
    )


def read_bodies(thread: int, query: bytes) -> list[dict[str, Any]]:
    """Reads all pages of a query as dicts."""
    slot = take_slot()
    cursor, out, error = slot.handle, slot.bytes, slot.error
    status = _messages(thread, query, len(query), cursor, error)
    if status < 0:
        fail(status, slot)
    handle = cursor.value
    found: list[dict[str, Any]] = []
    try:
        while True:
            status = _next(handle, out, error)
            if status:
                if status < 0:
                    fail(status, slot)
                break
            page = string_at(out.data or 0, out.len)
            _free_bytes(out)
            found += bodies(page)
            if page[8] & _LAST:
                break
    finally:
        _free_cursor(handle)
    put_slot(slot)
    return found


def is_last(page: bytes) -> bool:
    """Whether no page follows."""
    return bool(page[8] & _LAST)
