"""Positions in lists of threads and messages."""

from __future__ import annotations

from ctypes import string_at

from ._calls import call_bytes, fail, put_slot, take_slot
from ._handle import Handle
from ._lib import lib

_free_bytes = lib.memex_bytes_free
_next = lib.memex_cursor_next


class Cursor(Handle):
    """A cursor of the library's; given back by close, with, or the garbage collector."""

    __slots__ = ()

    _release = staticmethod(lib.memex_cursor_free)

    @property
    def token(self) -> str:
        """Continues after the last page that was read, or at the beginning; "" at the end."""
        return call_bytes(lib.memex_cursor_token, self._handle).decode()

    def next(self) -> bytes:
        """The next page; b"" when there is none."""
        slot = take_slot()
        status = _next(self._handle, slot.bytes, slot.error)
        if status < 0:
            fail(status, slot)
        out = slot.bytes
        page = string_at(out.data or 0, out.len) if not status else b""
        _free_bytes(out)
        put_slot(slot)
        return page
