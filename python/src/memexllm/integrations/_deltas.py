"""Puts the pieces of a streamed completion together, however a server cuts them."""

from __future__ import annotations

import json
from typing import Any

# Said once and, by some servers, again with every piece: the first one counts. Some repeat it
# empty, or make up another id for each piece of a call.
_ONCE = frozenset({"id", "role", "type"})
# Text that comes in pieces: a piece that equals what is there already is a piece like any other.
_TEXT = frozenset(
    {
        "arguments",
        "content",
        "data",
        "input",
        "reasoning",
        "reasoning_content",
        "refusal",
        "summary",
        "text",
        "thinking",
        "transcript",
    }
)


def merge(into: dict[str, Any], delta: dict[str, Any]) -> None:
    """Adds a delta to what came before. What is empty replaces nothing.

    Text is continued. Other strings, such as a function's name, come whole: one that is there
    already is not said again.
    """
    for name, value in delta.items():
        before = into.get(name)
        if value is None:
            into.setdefault(name, None)
        elif before is None or before == "" and value:
            into[name] = _begin(value)
        elif isinstance(value, str) and isinstance(before, str):
            if name in _TEXT or (name not in _ONCE and value != before):
                into[name] = before + value
        elif isinstance(value, dict) and isinstance(before, dict):
            merge(before, value)
        elif isinstance(before, list) and isinstance(value, list):
            _merge_list(before, value)
        elif name == "content" and {type(before), type(value)} == {str, list}:
            into[name] = _parts(before)
            _merge_list(into[name], _parts(value))
        elif type(before) is type(value) or isinstance(before, (int, float)):
            into[name] = value


def _begin(value: Any) -> Any:
    if isinstance(value, dict):
        fresh: dict[str, Any] = {}
        merge(fresh, value)
        return fresh
    if isinstance(value, list):
        entries: list[Any] = []
        _merge_list(entries, value)
        return entries
    return value


def _parts(value: list[Any] | str) -> list[Any]:
    """A content as parts: servers that send parts send plain text between them."""
    if isinstance(value, str):
        return [{"type": "text", "text": value}] if value else []
    return value


def _merge_list(into: list[Any], delta: list[Any]) -> None:
    for entry in delta:
        same = _continued(into, entry) if isinstance(entry, dict) else None
        if same is None:
            into.append(_begin(entry))
        elif not _is_said_again(same, entry):
            merge(same, entry)


def _continued(into: list[Any], entry: dict[str, Any]) -> dict[str, Any] | None:
    """The entry of a list that another one continues; None when it begins a new one."""
    held = [old for old in into if isinstance(old, dict)]
    has_index = entry.get("index") is not None
    if has_index:
        # Some servers give every parallel call the index 0.
        held = [old for old in held if old.get("index") == entry["index"]]
        if entry.get("type"):
            held = [old for old in held if old.get("type") in (None, "", entry["type"])]
    if not held:
        return None
    if has_index or _function(entry) is not None:
        said = [old for old in held if entry.get("id") and old.get("id") == entry["id"]]
        if said:
            return said[-1]
        return None if _other_call(held[-1], entry) else held[-1]
    kind = entry.get("type")
    # Parts of a content that are text, without an index: a text goes on until another kind begins.
    return held[-1] if kind in ("text", "thinking") and held[-1].get("type") == kind else None


def _is_said_again(held: dict[str, Any], entry: dict[str, Any]) -> bool:
    """Whether an entry is the whole call that is held: id, name and complete arguments.

    No piece goes on after a whole JSON object, so an equal one is no piece.
    """
    function, known = entry.get("function"), held.get("function")
    if not isinstance(function, dict) or not isinstance(known, dict):
        return False
    arguments = function.get("arguments")
    if not entry.get("id") or entry["id"] != held.get("id") or not isinstance(arguments, str):
        return False
    if not function.get("name") or function["name"] != known.get("name"):
        return False
    if arguments != known.get("arguments"):
        return False
    try:
        return isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        return False


def _function(call: dict[str, Any]) -> Any:
    return call.get("function", call.get("custom"))


def _other_call(held: dict[str, Any], entry: dict[str, Any]) -> bool:
    """Whether an entry is a call of its own: it has another id, and says its name."""
    function = _function(entry)
    named = isinstance(function, dict) and bool(function.get("name"))
    return named and bool(entry.get("id")) and entry["id"] != held.get("id")


class Choice:  # pylint: disable=too-few-public-methods
    """One choice of a streamed completion, as far as it has come."""

    def __init__(self) -> None:
        self.message: dict[str, Any] = {}
        self.finish_reason: str | None = None

    def body(self) -> dict[str, Any]:
        """The message."""
        message = dict(self.message)
        calls = message.get("tool_calls")
        if isinstance(calls, list):
            calls = [call for call in calls if isinstance(call, dict)]
            # A stable sort: calls that share an index, or have none, keep their order.
            calls.sort(key=lambda call: _number(call.get("index")))
            message["tool_calls"] = [
                {name: value for name, value in call.items() if name != "index"} for call in calls
            ]
        return message


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


class Completion:  # pylint: disable=too-few-public-methods
    """A streamed completion, as far as it has come."""

    def __init__(self) -> None:
        self.choices: dict[int, Choice] = {}
        self.facts: dict[str, Any] = {}

    def add(self, chunk: Any) -> None:
        """Adds a chunk; what has not the form of one adds nothing."""
        if not isinstance(chunk, dict):
            return
        for name in ("id", "model", "usage", "system_fingerprint", "service_tier"):
            if chunk.get(name):
                self.facts[name] = chunk[name]
        parts = chunk.get("choices")
        for part in parts if isinstance(parts, list) else ():
            if not isinstance(part, dict):
                continue
            choice = self.choices.setdefault(_number(part.get("index")), Choice())
            delta = part.get("delta")
            if isinstance(delta, dict):
                merge(choice.message, delta)
            if part.get("finish_reason"):
                choice.finish_reason = part["finish_reason"]
