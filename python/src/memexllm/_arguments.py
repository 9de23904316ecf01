"""Arguments of append and update."""

from __future__ import annotations

from typing import Any

from ._checks import mapping


class Unset:  # pylint: disable=too-few-public-methods
    """Type of UNSET: an argument that was not given, where None means something."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = Unset()

_role_bytes = {
    role: role.encode() for role in ("system", "user", "assistant", "tool", "developer", "function")
}


def role_and_text(role: Any, text: Any) -> tuple[bytes, bytes]:
    """A role and a text as UTF-8."""
    try:
        return _role_bytes.get(role) or role.encode(), text.encode()
    except UnicodeEncodeError:
        # The library refuses lone surrogates and says where they are.
        return role.encode("utf-8", "surrogatepass"), text.encode("utf-8", "surrogatepass")
    except (AttributeError, TypeError):
        raise TypeError("append wants a role and its text, both str, or messages") from None


def as_text(message: dict[str, Any]) -> tuple[Any, str | None]:
    """Role and text of a message that is nothing else, else the message and None."""
    (first, role), (second, text) = message.items()
    if first == "role" and second == "content" and isinstance(role, str) and isinstance(text, str):
        return role, text
    return message, None


def json_of(value: Any) -> bytes:
    """Messages as JSON; bytes as they are.

    Raises:
        TypeError: They are neither dicts nor bytes.
    """
    from ._json import dump  # pylint: disable=import-outside-toplevel

    if isinstance(value, (dict, list)):
        return dump(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    from collections.abc import Mapping, Sequence  # pylint: disable=import-outside-toplevel

    if isinstance(value, str) or not isinstance(value, (Mapping, Sequence)):
        raise TypeError(
            "append wants a role and its text, or messages as dicts or bytes of JSON, not "
            + type(value).__name__
        )
    return dump(value)


def body_of(value: Any) -> bytes:
    """One message as JSON; bytes as they are.

    Raises:
        TypeError: It is neither a dict nor bytes.
    """
    from ._json import dump  # pylint: disable=import-outside-toplevel

    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    return dump(mapping("body", value))
