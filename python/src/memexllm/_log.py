"""Sends the library's log lines to logging.getLogger("memexllm")."""

from __future__ import annotations

import atexit
import logging
from ctypes import string_at

from . import _ffi
from ._calls import call
from ._lib import lib

_logger = logging.getLogger("memexllm")
# Without it, a program that configures no logging would see warnings on its stderr.
_logger.addHandler(logging.NullHandler())
_LEVELS = {
    _ffi.MEMEX_LOG_ERROR: logging.ERROR,
    _ffi.MEMEX_LOG_WARNING: logging.WARNING,
    _ffi.MEMEX_LOG_INFO: logging.INFO,
    _ffi.MEMEX_LOG_DEBUG: logging.DEBUG,
}
_NO_LINES = _ffi.memex_log_fn()
_NO_DESTROY = _ffi.memex_destroy_fn()
_level = 0  # pylint: disable=invalid-name


def _receive(_: int | None, level: int, text: int | None, length: int) -> None:
    _logger.log(
        _LEVELS.get(level, logging.DEBUG),
        "%s",
        string_at(text or 0, length).decode("utf-8", "replace") if text else "",
    )


# Lives as long as the library may call it: for ever.
_RECEIVER = _ffi.memex_log_fn(_receive)


def install() -> None:
    """Makes the library log what the logger wants now; asked again whenever a store is opened."""
    global _level  # pylint: disable=global-statement
    wanted = max(
        (level for level, name in _LEVELS.items() if _logger.isEnabledFor(name)), default=0
    )
    if wanted == _level:
        return
    if not _level:
        atexit.register(_remove)
    fn = _RECEIVER if wanted else _NO_LINES
    _level = wanted
    call(lib.memex_log_handler, wanted or _ffi.MEMEX_LOG_ERROR, fn, None, _NO_DESTROY)


def _remove() -> None:
    # The interpreter's end: no Python may run on a native thread after this.
    call(lib.memex_log_handler, _ffi.MEMEX_LOG_ERROR, _NO_LINES, None, _NO_DESTROY)
