"""Time: microseconds since the epoch in the library, aware datetimes here."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from ._checks import wrong_type

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


def from_us(value: int) -> datetime:
    """Microseconds as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=value)


def to_us(name: str, value: Any) -> int:
    """An aware datetime as microseconds.

    Raises:
        TypeError: It is no datetime.
        ValueError: It has no time zone, so it does not say when it is.
    """
    if not isinstance(value, datetime):
        raise wrong_type(name, "a datetime with a time zone", value)
    if value.utcoffset() is None:
        raise ValueError(
            f"{name} has no time zone: give datetime.now(timezone.utc) or another aware datetime"
        )
    return (value - _EPOCH) // _MICROSECOND
