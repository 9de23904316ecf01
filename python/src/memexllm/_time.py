"""Time: microseconds since the epoch in the library, aware datetimes here."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


def from_us(value: int) -> datetime:
    """Microseconds as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=value)


def to_us(value: datetime) -> int:
    """An aware datetime as microseconds.

    Raises:
        ValueError: The datetime has no time zone, so it does not say when it is.
    """
    if value.utcoffset() is None:
        raise ValueError("a datetime without a time zone: give datetime.now(timezone.utc) or alike")
    return (value - _EPOCH) // _MICROSECOND
