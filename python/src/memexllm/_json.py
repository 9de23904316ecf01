"""JSON as the library takes and gives it. Imported when the first dict crosses, not before."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from json.decoder import JSONDecoder
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

from .errors import LimitError

if TYPE_CHECKING:
    from collections.abc import Callable

# (value, end) of the JSON value at an index: json.loads without its checks for spaces around it.
scan: Callable[[str, int], tuple[Any, int]] = vars(JSONDecoder())["scan_once"]


def _plain(value: Any) -> Any:
    """What the encoder knows, of mappings and sequences that it does not."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON: give text, numbers, lists and dicts")


# ASCII stays ASCII and the rest as it is; no spaces; no NaN, which is not JSON.
_encoder = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain
)
encode = _encoder.encode
loads = json.loads


def _fastest() -> Callable[[Any], str]:
    """encode without the C encoder that it makes anew in each call: half of its time."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return encode
    chunks = make(None, _encoder.default, encode_basestring, None, ":", ",", False, False, False)
    join = "".join
    return lambda value: join(chunks(value, 0))


_text = _fastest()


def dump(value: Any) -> bytes:
    """A value as JSON. Lone surrogates pass: the library refuses them and names the offset.

    Raises:
        TypeError, ValueError: It holds what is not JSON.
    """
    try:
        return _text(value).encode("utf-8", "surrogatepass")
    except RecursionError:
        problem = "JSON has at most 128 levels; this has more, or holds itself"
        raise LimitError(problem, details={"limit": 128}) from None


def members(text: str) -> tuple[dict[str, Any], bytes | None]:
    """Splits `{envelope…, "body": …}` into the envelope with its body, and the body's own bytes."""
    found: dict[str, Any] = {}
    raw: bytes | None = None
    at = 1
    while True:
        key, colon = scan(text, at)
        found[key], end = scan(text, colon + 1)
        if key == "body":
            raw = text[colon + 1 : end].encode()
        if text[end] == "}":
            return found, raw
        at = end + 1
