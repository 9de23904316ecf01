"""Puts the pieces of a streamed completion together."""

from __future__ import annotations

from typing import Any

# Said once, not piece by piece.
_WHOLE = frozenset({"id", "index", "role", "type"})


def merge(into: dict[str, Any], delta: dict[str, Any]) -> None:
    """Adds a delta to what came before: text is continued, lists go by index."""
    for name, value in delta.items():
        before = into.get(name)
        if value is None:
            into.setdefault(name, None)
        elif before is None:
            into[name] = _begin(value)
        elif isinstance(value, str) and isinstance(before, str) and name not in _WHOLE:
            into[name] = before + value
        elif isinstance(value, dict) and isinstance(before, dict):
            merge(before, value)
        elif isinstance(value, list) and isinstance(before, list):
            _merge_list(before, value)
        else:
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


def _merge_list(into: list[Any], delta: list[Any]) -> None:
    for entry in delta:
        index = entry.get("index") if isinstance(entry, dict) else None
        same = [
            old
            for old in into
            if index is not None and isinstance(old, dict) and old.get("index") == index
        ]
        if same:
            merge(same[0], entry)
        else:
            into.append(_begin(entry))


class Choice:  # pylint: disable=too-few-public-methods
    """One choice of a streamed completion, as far as it has come."""

    def __init__(self) -> None:
        self.message: dict[str, Any] = {}
        self.finish_reason: str | None = None

    def body(self) -> dict[str, Any]:
        """The message; without tool calls when the stream ended before they were complete."""
        message = {"role": "assistant", "content": None, **self.message}
        calls = message.pop("tool_calls", None)
        call = message.pop("function_call", None)
        if self.finish_reason is not None:
            if calls:
                message["tool_calls"] = [
                    {name: value for name, value in entry.items() if name != "index"}
                    for entry in sorted(calls, key=lambda entry: entry.get("index", 0))
                ]
            if call:
                message["function_call"] = call
        elif message["content"] is None:
            message["content"] = ""
        return message


class Completion:  # pylint: disable=too-few-public-methods
    """A streamed completion, as far as it has come."""

    def __init__(self) -> None:
        self.choices: dict[int, Choice] = {}
        self.facts: dict[str, Any] = {}

    def add(self, chunk: dict[str, Any]) -> None:
        """Adds a chunk."""
        for name in ("id", "model", "usage", "system_fingerprint", "service_tier"):
            if chunk.get(name) is not None:
                self.facts[name] = chunk[name]
        for part in chunk.get("choices") or []:
            choice = self.choices.setdefault(part.get("index", 0), Choice())
            merge(choice.message, part.get("delta") or {})
            if part.get("finish_reason") is not None:
                choice.finish_reason = part["finish_reason"]
