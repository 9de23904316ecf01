"""Turns packed pages into objects. docs/reference/packed-page.md describes the layout."""

from __future__ import annotations

from ctypes import string_at
from struct import unpack_from
from typing import TYPE_CHECKING, Any

from ._handle import fail, put_slot, take_slot
from ._lib import lib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import NamedTuple

    class Row(NamedTuple):
        """One message of a packed page."""

        seq: int
        created_at_us: int
        rev: int
        tokens: int
        kind: int
        role: str
        text: str


# kind bits
SIMPLE, INCOMPLETE, DELETED, PINNED, EXTRA, OWN_ID = 1, 2, 4, 8, 16, 32
PAGE_SIZE = 250

_MAGIC = b"MXP1"
_messages = lib.memex_thread_messages
_next = lib.memex_cursor_next
_free_bytes = lib.memex_bytes_free
_free_cursor = lib.memex_cursor_free
_roles: dict[bytes, str] = {}


def _role(raw: bytes) -> str:
    role = raw.decode()
    # Bounded, for roles are the caller's.
    if len(_roles) < 64:
        _roles[raw] = role
    return role


def _scan_lazily(text: str, index: int) -> tuple[Any, int]:
    global _scan  # pylint: disable=global-statement
    from ._json import scan  # pylint: disable=import-outside-toplevel

    _scan = scan
    return scan(text, index)


_scan: Callable[[str, int], tuple[Any, int]] = _scan_lazily


def parse(text: str) -> Any:
    """The value of a stored body, which has no spaces around it."""
    return _scan(text, 0)[0]


def bodies(page: bytes) -> list[dict[str, Any]]:
    """The messages of a page as dicts."""
    count = int.from_bytes(page[4:8], "little")
    numbers = unpack_from(f"<{3 * count}I", page, 16 + 28 * count)
    end = 16 + 40 * count
    found = []
    add = found.append
    role_of = _roles.get
    scan = _scan
    for kind, role_length, length in zip(
        numbers[:count], numbers[count : 2 * count], numbers[2 * count :]
    ):
        start = end + role_length
        raw_role = page[end:start]
        end = start + length
        if kind & SIMPLE:
            add(
                {
                    "role": role_of(raw_role) or _role(raw_role),
                    "content": page[start:end].decode(),
                }
            )
        else:
            add(scan(page[start:end].decode(), 0)[0])
    return found


def rows(page: bytes) -> list[Row]:
    """The messages of a page as (seq, created_at_us, rev, tokens, kind, role, text)."""
    count = int.from_bytes(page[4:8], "little")
    longs = unpack_from(f"<{3 * count}q", page, 16)
    numbers = unpack_from(f"<{4 * count}I", page, 16 + 24 * count)
    roles, texts = [], []
    end = 16 + 40 * count
    for role_length, length in zip(numbers[2 * count : 3 * count], numbers[3 * count :]):
        start = end + role_length
        raw_role = page[end:start]
        roles.append(_roles.get(raw_role) or _role(raw_role))
        end = start + length
        texts.append(page[start:end].decode())
    return list(
        zip(
            longs[:count],
            longs[count : 2 * count],
            longs[2 * count :],
            numbers[:count],
            numbers[count : 2 * count],
            roles,
            texts,
        )
    )  # type: ignore[arg-type]


def read_bodies(thread: int, query: bytes, wanted: int) -> list[dict[str, Any]]:
    """Reads all pages of a query as dicts; stops early once it has as many as are wanted."""
    slot = take_slot()
    cursor, out, error = slot.handle, slot.bytes, slot.error
    status = _messages(thread, query, len(query), cursor, error)
    if status < 0:
        fail(status, slot)
    handle = cursor.value
    found: list[dict[str, Any]] = []
    try:
        while len(found) < wanted:
            status = _next(handle, out, error)
            if status:
                if status < 0:
                    fail(status, slot)
                break
            page = string_at(out.data or 0, out.len)
            _free_bytes(out)
            found += bodies(page)
    finally:
        _free_cursor(handle)
    put_slot(slot)
    return found


def read_pages(cursor: int) -> Iterator[bytes]:
    """Yields what is left of a cursor, page by page, and frees it."""
    try:
        while True:
            slot = take_slot()
            status = _next(cursor, slot.bytes, slot.error)
            if status < 0:
                fail(status, slot)
            if status:
                put_slot(slot)
                return
            out = slot.bytes
            page = string_at(out.data or 0, out.len)
            _free_bytes(out)
            put_slot(slot)
            yield page
    finally:
        _free_cursor(cursor)
