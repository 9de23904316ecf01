"""Keyword options as the library's JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from ._json import dump

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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


def seconds(value: float) -> int:
    """Seconds as whole microseconds."""
    return round(value * 1_000_000)


def document(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options as the library names them; what is None is left out."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        if value is None:
            continue
        if name == "created_at":
            from ._time import to_us  # pylint: disable=import-outside-toplevel

            found["created_at_us"] = to_us(value)
        elif name == "timeout":
            found["timeout_us"] = seconds(value)
        elif name == "messages":
            found[name] = [document(entry) for entry in value]
        else:
            found[name] = value
    return found


def pack(options: Mapping[str, Any]) -> bytes:
    """Options as JSON; no bytes when there are none."""
    found = document(options)
    return dump(found) if found else b""
