"""Keyword options as the library's JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from . import _checks
from ._checks import RANGES
from ._json import dump

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from typing import Literal


class MessageOptions(TypedDict, total=False):
    """What may be said of one message of an append.

    Attributes:
        id: An id of the caller's, instead of a generated one.
        created_at: When the message was made, if not now; an aware datetime.
        metadata: Any JSON object; kept beside the body and changed by merge patches.
        provenance: Any JSON object on where the message comes from.
        pinned: Windows keep it.
        state: "incomplete" for a message that was cut off.
    """

    id: str
    created_at: datetime
    metadata: Mapping[str, Any]
    provenance: Mapping[str, Any]
    pinned: bool
    state: Literal["complete", "incomplete"]


class AppendOptions(MessageOptions, total=False):
    """What may be said of an append; the options of a message hold for all of its messages.

    Attributes:
        idempotency_key: A second append with the same key and bytes stores nothing and returns
            the first one's receipt.
        expect_seq: ConflictError unless the first message gets this seq.
        format: Dialect of the bodies: "openai.chat" (default), "opaque", ...
        timeout: Longest wait for locks, in seconds.
        messages: One set of options a message, instead of options for all.
    """

    idempotency_key: str
    expect_seq: int
    format: str
    timeout: float
    messages: Sequence[MessageOptions]


def _time(name: str, value: Any) -> int:
    from ._time import to_us  # pylint: disable=import-outside-toplevel

    return to_us(name, value)


def _tokenizer(name: str, value: Any) -> str | dict[str, Any]:
    """A name, or the options of a Tokenizer."""
    if isinstance(value, str):
        return value
    from .tokens import Tokenizer  # pylint: disable=import-outside-toplevel

    if isinstance(value, Tokenizer):
        return value.options
    raise _checks.wrong_type(name, "text (str) or a Tokenizer", value)


# What an option must be; of others the library says what is wrong.
_TEXTS = (
    "cursor durability format id idempotency_key order principal provider root state tenant title"
    " url"
).split()
_SWITCHES = "create descending erase include_deleted pinned read_only".split()
_OBJECTS = "filter metadata provenance".split()
_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(RANGES, _checks.integer),
    **dict.fromkeys(_TEXTS, _checks.text),
    **dict.fromkeys(_SWITCHES, _checks.boolean),
    **dict.fromkeys(_OBJECTS, _checks.mapping),
    "created_at": _time,
    "tokenizer": _tokenizer,
    "timeout": _checks.microseconds,
}
# The types that need no further look.
_EXACT: dict[str, type] = {
    **dict.fromkeys(_TEXTS, str),
    **dict.fromkeys(_SWITCHES, bool),
    **dict.fromkeys(_OBJECTS, dict),
}
_NAMES = {"created_at": "created_at_us", "timeout": "timeout_us"}


def document(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the library names them; what is None is left out.

    Raises:
        TypeError, ValueError: One is of the wrong type or out of range.
    """
    found: dict[str, Any] = {}
    for name, value in options.items():
        if value is None:
            continue
        if value.__class__ is _EXACT.get(name):
            found[name] = value
        elif name in _CHECKS:
            found[_NAMES.get(name, name)] = _CHECKS[name](name, value)
        elif name == "messages":
            found[name] = [document(entry) for entry in _checks.steps(name, value)]
        else:
            found[name] = value
    return found


def pack(options: Mapping[str, Any]) -> bytes:
    """Options as JSON; no bytes when there are none."""
    found = document(options)
    return dump(found) if found else b""
