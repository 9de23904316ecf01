"""Checks of arguments: the wrong type is TypeError, the wrong number InvalidError.

Both name the argument and say what it must be. ctypes alone would cut an integer off silently.
"""

from __future__ import annotations

from operator import index

TYPE_CHECKING = False  # for what typing costs, see __init__
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

SEQ = 2**31 - 1
INT64 = 2**63 - 1
ID_BYTES = 255

# The ranges of the library; tests compare them with its own.
RANGES = {
    "after_seq": (0, SEQ),
    "at_seq": (0, SEQ),
    "before_seq": (1, SEQ + 1),
    "examine": (1, SEQ),
    "expect_seq": (1, SEQ),
    "from_seq": (1, SEQ),
    "if_rev": (1, INT64),
    "if_version": (1, INT64),
    "last": (0, INT64),
    "limit": (0, INT64),
    "max_tokens": (1, 2**48),
    "page_size": (1, 10_000),
    "seed": (-INT64 - 1, INT64),
    "seq": (1, SEQ),
    "to_seq": (1, SEQ),
}
_DAY = 86_400


def wrong_type(name: str, wanted: str, value: object) -> TypeError:
    """What to raise for an argument of another type."""
    return TypeError(f"{name} must be {wanted}, not {type(value).__name__}")


def _out_of_range(name: str, low: int, high: int) -> Exception:
    from .errors import InvalidError  # pylint: disable=import-outside-toplevel

    message = f"{name} must be between {low} and {high}"
    return InvalidError(message, details={"path": f"/{name}"})


def integer(name: str, value: Any, bounds: tuple[int, int] | None = None) -> int:
    """An integer within the bounds of its name; True and 1.0 are none.

    Raises:
        TypeError, InvalidError: It is no integer, or out of range.
    """
    if value.__class__ is not int:
        try:
            if isinstance(value, bool):
                raise TypeError
            value = index(value)
        except TypeError:
            raise wrong_type(name, "an integer", value) from None
    low, high = bounds or RANGES[name]
    if not low <= value <= high:
        raise _out_of_range(name, low, high)
    return int(value)


def boolean(name: str, value: Any) -> bool:
    """True or False, and nothing that is merely true.

    Raises:
        TypeError: It is neither.
    """
    if value is True or value is False:
        return value
    raise wrong_type(name, "True or False", value)


def text(name: str, value: Any) -> str:
    """Text.

    Raises:
        TypeError: It is none.
    """
    if isinstance(value, str):
        return value
    raise wrong_type(name, "text (str)", value)


def utf8(name: str, value: Any) -> bytes:
    """Text as UTF-8. Lone surrogates pass: the library refuses them and names the offset.

    Raises:
        TypeError: It is none.
    """
    return text(name, value).encode("utf-8", "surrogatepass")


def mapping(name: str, value: Any) -> Mapping[str, Any]:
    """A dict or another mapping.

    Raises:
        TypeError: It is none.
    """
    if isinstance(value, dict):
        return value
    from collections.abc import Mapping as Any_  # pylint: disable=import-outside-toplevel

    if isinstance(value, Any_):
        return dict(value)
    raise wrong_type(name, "a dict", value)


def _elements(name: str, wanted: str, value: Any) -> list[Any]:
    if not isinstance(value, (str, bytes, bytearray, dict)):
        try:
            return list(value)
        except TypeError:
            pass
    raise wrong_type(name, wanted, value)


def steps(name: str, value: Any) -> list[Any]:
    """A list of dicts; one dict alone is none.

    Raises:
        TypeError: It is none.
    """
    found = _elements(name, "a list of dicts", value)
    return [mapping(f"{name}[{place}]", entry) for place, entry in enumerate(found)]


def names(name: str, value: Any) -> list[str]:
    """A list of texts; one text alone is none.

    Raises:
        TypeError: It is none.
    """
    found = _elements(name, "a list of texts", value)
    return [text(f"{name}[{place}]", entry) for place, entry in enumerate(found)]


def function(name: str, value: Any) -> Any:
    """Something that can be called.

    Raises:
        TypeError: It cannot.
    """
    if callable(value):
        return value
    raise wrong_type(name, "a function", value)


def microseconds(name: str, value: Any) -> int:
    """Seconds, at most a day, as whole microseconds.

    Raises:
        TypeError, InvalidError: It is no number, or out of range.
    """
    if isinstance(value, (bool, str)) or not hasattr(type(value), "__float__"):
        raise wrong_type(name, "a number of seconds", value)
    try:
        seconds = float(value)
    except OverflowError:
        seconds = -1.0
    if not 0 <= seconds <= _DAY:
        raise _out_of_range(name, 0, _DAY)
    return round(seconds * 1_000_000)
