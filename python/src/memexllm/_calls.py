"""The call layer: out-parameters, and errors as exceptions.

Every call that can fail takes a slot, passes its parts as the last arguments, and gives it back or
hands it to fail. The hottest ones do that in place: Thread.append and _pages.
"""

from __future__ import annotations

from ctypes import c_int64, c_void_p, sizeof, string_at
from itertools import count
from time import monotonic

from . import errors
from ._ffi import memex_bytes, memex_receipt
from ._lib import lib

TYPE_CHECKING = False  # for what typing costs, see __init__
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn


class Slot:  # pylint: disable=too-few-public-methods
    """Out-parameters of one call, kept for the next: making them costs more than the call."""

    __slots__ = ("bytes", "error", "handle", "number", "receipt")

    def __init__(self) -> None:
        self.handle = c_void_p()
        self.error = c_void_p()
        self.bytes = memex_bytes()
        self.number = c_int64()
        self.receipt = memex_receipt(struct_size=sizeof(memex_receipt))

    def __del__(self) -> None:
        # What a signal handler raised right after a call may have kept the error from being read;
        # in the midst of __init__ it may have kept it from being there.
        error = getattr(self, "error", None)
        if error is not None and error.value:
            lib.memex_error_free(error)


# Slots that no call uses. A call takes one off the list and puts it back, so that neither another
# thread nor a signal handler or callback on the same thread can see it in between; with a slot per
# thread the latter could. pop and append of a list are atomic.
_free: list[Slot] = []
put_slot = _free.append

# What callbacks raised, by the number that stands in the error's message: the callback may have
# run on another thread than the call that fails by it.
_raised: dict[int, BaseException] = {}
_RAISED_MAXIMUM = 256
_numbers = count(1)


def take_slot() -> Slot:
    """A slot that is the caller's until put_slot."""
    try:
        return _free.pop()
    except IndexError:
        return Slot()


def note_raised(error: BaseException) -> str:
    """Keeps what a callback raised for the call that needed the callback.

    Returns:
        The reason to give to the library: the type, no content, and the number it is kept under.
    """
    number = next(_numbers)
    while len(_raised) >= _RAISED_MAXIMUM:
        _raised.pop(next(iter(_raised)), None)
    _raised[number] = error
    return f"{type(error).__name__} in Python [exception {number}]"


def _take_raised(message: str) -> BaseException | None:
    head, mark, tail = message.rpartition("[exception ")
    number = tail.partition("]")[0]
    return _raised.pop(int(number), None) if head and mark and number.isdigit() else None


def fail(status: int, slot: Slot) -> NoReturn:
    """Raises the error of a call that returned a negative status.

    Raises:
        MemexError: Always; or what a callback raised, when that is no Exception.
    """
    error = slot.error
    message, details, retryable = "", {}, False
    if error.value:
        message = (lib.memex_error_message(error) or b"").decode("utf-8", "replace")
        text = lib.memex_error_details(error) or b"{}"
        retryable = bool(lib.memex_error_retryable(error))
        lib.memex_error_free(error)
        error.value = None
        if len(text) > 2:
            import json  # pylint: disable=import-outside-toplevel

            details = json.loads(text)
    put_slot(slot)
    kind = errors.BY_CODE.get(status, errors.InternalError)
    cause = _take_raised(message) if kind is errors.CallbackError else None
    if cause is not None and not isinstance(cause, Exception):
        raise cause
    problem = kind(message or kind.__name__, details=details, retryable=retryable)
    problem.code = status
    raise problem from cause


def again(status: int, slot: Slot, function: Callable[..., int], *arguments: Any) -> int:
    """Makes a call again that failed because it was only waiting, else raises its error.

    Stores are opened so that their waits end now and then and when a signal comes. Then Python runs
    the signal's handler, in the main thread, before the call is made again; what the handler raises
    ends it, and nothing was stored. Otherwise the wait goes on for what is left of the time-out, to
    within a fifth of a second (PEP 475).

    Returns:
        The status of the call that succeeded.

    Raises:
        MemexError: Whatever the call failed by.
    """
    give_up = 0.0
    while status == errors.CancelledError.CODE:
        text = lib.memex_error_details(slot.error) or b""
        if not text.startswith(b'{"signal":'):
            break
        left = int(text.rpartition(b":")[2].rstrip(b"}")) / 1_000_000
        lib.memex_error_free(slot.error)
        slot.error.value = None
        give_up = give_up or monotonic() + left
        if monotonic() >= give_up:
            put_slot(slot)
            raise errors.TimedOutError(
                "waited for a turn to write until the time-out; nothing was stored", retryable=True
            )
        status = function(*arguments)
    if status < 0:
        fail(status, slot)
    return status


def call_bytes(function: Callable[..., int], *arguments: Any) -> bytes:
    """Calls a function whose last two parameters are out bytes and an error."""
    slot = take_slot()
    status = function(*arguments, slot.bytes, slot.error)
    if status < 0:
        again(status, slot, function, *arguments, slot.bytes, slot.error)
    data = take_bytes(slot)
    put_slot(slot)
    return data


def take_bytes(slot: Slot) -> bytes:
    """Copies what the library put into a slot, and frees it."""
    out = slot.bytes
    data = string_at(out.data, out.len) if out.data else b""
    lib.memex_bytes_free(out)
    return data


def call_handle(function: Callable[..., int], *arguments: Any) -> int:
    """Calls a function whose last two parameters are an out handle and an error."""
    slot = take_slot()
    status = function(*arguments, slot.handle, slot.error)
    if status < 0:
        again(status, slot, function, *arguments, slot.handle, slot.error)
    handle = slot.handle.value
    put_slot(slot)
    return handle or 0


def call(function: Callable[..., int], *arguments: Any) -> int:
    """Calls a function whose last parameter is an error; returns its status, which is not < 0."""
    slot = take_slot()
    status = function(*arguments, slot.error)
    if status < 0:
        status = again(status, slot, function, *arguments, slot.error)
    put_slot(slot)
    return status


def call_number(function: Callable[..., int], *arguments: Any) -> int:
    """Calls a function whose last two parameters are an out number and an error."""
    slot = take_slot()
    status = function(*arguments, slot.number, slot.error)
    if status < 0:
        again(status, slot, function, *arguments, slot.number, slot.error)
    number = slot.number.value
    put_slot(slot)
    return number


def call_number_with(function: Any, second: Any, *arguments: Any) -> int:
    """Calls a function whose last parameters are two out numbers and an error; the first number."""
    slot = take_slot()
    status = function(*arguments, slot.number, second, slot.error)
    if status < 0:
        fail(status, slot)
    number = slot.number.value
    put_slot(slot)
    return number
