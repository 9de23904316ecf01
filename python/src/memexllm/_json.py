"""JSON as the library takes and gives it. Imported when the first dict crosses, not before."""

from __future__ import annotations

import json
from json.decoder import JSONDecoder
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# (value, end) of the JSON value at an index: json.loads without its checks for spaces around it.
scan: Callable[[str, int], tuple[Any, int]] = vars(JSONDecoder())["scan_once"]
# ASCII stays ASCII and the rest as it is; no spaces; no NaN, which is not JSON.
encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
loads = json.loads


def dump(value: Any) -> bytes:
    """A value as JSON. Lone surrogates pass: the library refuses them and names the offset."""
    return encode(value).encode("utf-8", "surrogatepass")


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
