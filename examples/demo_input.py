"""Reads conversations from JSON Lines and keeps every message as the bytes that were written.

A line holds ``{"messages": [...]}``, ``{"traj": [...]}``, an array of messages, or one message.
Lines with one message each belong together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_DECODER = json.JSONDecoder()
_BLANK = " \t\r\n"
_LISTS = ("messages", "traj")


class BadInput(Exception):
    """The input is not what was asked for; the text is one sentence for the user."""


@dataclass
class Conversation:
    """One conversation: messages as the bytes of the input, and the lines they are from."""

    title: str
    messages: list[bytes] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def add(self, message: bytes, line: int) -> None:
        """Takes the next message."""
        self.messages.append(message)
        self.lines.append(line)

    @property
    def size(self) -> int:
        """Bytes of all bodies."""
        return sum(map(len, self.messages))


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _elements(text: str, at: int) -> Iterator[tuple[Any, int, int]]:
    """Value, start and end of each element of the array that begins at ``at``."""
    at = _skip(text, at + 1)
    while text[at] != "]":
        value, end = _DECODER.raw_decode(text, at)
        yield value, at, end
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """Key and start of the value of each member of the object that begins at ``at``."""
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, end = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, end) + 1)  # over the colon
        yield key, at
        _, end = _DECODER.raw_decode(text, at)
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("role"), str)


def _list_start(text: str, value: Any, start: int) -> int | None:
    """Where the array of messages begins; None when the line is one message."""
    if isinstance(value, list):
        return start
    if isinstance(value, dict):
        for name in _LISTS:
            if isinstance(value.get(name), list):
                return [at for key, at in _members(text, start) if key == name][-1]
    return None


def _read_line(name: str, number: int, raw: bytes) -> tuple[str, Any, int | None, int]:
    """Text, value, start of the array of messages if any, and start of the value of a line."""
    where = f"{name}, line {number}"
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{where}, is not UTF-8: byte {error.start} is wrong.") from None
    text = text.removeprefix("\ufeff") if number == 1 else text
    start = _skip(text, 0)
    try:
        value = json.loads(text)
    except RecursionError:
        raise BadInput(f"{where}, is nested too deep.") from None
    except json.JSONDecodeError as error:
        raise BadInput(
            f"{where}, is not JSON: {error.msg}, at column {error.colno};"
            " every line has to be one JSON value."
        ) from None
    return text, value, _list_start(text, value, start), start


def read(path: str) -> list[Conversation]:
    """The conversations of a file.

    Raises:
        BadInput: It cannot be read, is not JSON Lines, or holds something else than conversations.
    """
    name = Path(path).name
    conversations: list[Conversation] = []
    loose: Conversation | None = None  # of lines with one message each
    try:
        with open(path, "rb") as file:
            for number, raw in enumerate(file, 1):
                if not raw.strip():
                    continue
                text, value, at, start = _read_line(name, number, raw)
                if at is None:
                    if not _is_message(value):
                        raise BadInput(
                            f"{name}, line {number}, is not a conversation: it needs"
                            ' {"messages": [...]}, {"traj": [...]}, an array of messages, or a'
                            ' message with a "role".'
                        )
                    if loose is None:
                        loose = Conversation(f"{name}, from line {number}")
                        conversations.append(loose)
                    loose.add(text[start:].rstrip(_BLANK).encode(), number)
                    continue
                loose = None
                conversation = Conversation(f"{name}, line {number}")
                for message, begin, end in _elements(text, at):
                    if not _is_message(message):
                        raise BadInput(
                            f"{name}, line {number}, is not a conversation: message"
                            f' {len(conversation.messages) + 1} is not an object with a "role".'
                        )
                    conversation.add(text[begin:end].encode(), number)
                if conversation.messages:
                    conversations.append(conversation)
    except FileNotFoundError:
        raise BadInput(f"There is no file {path}.") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
    if not conversations:
        raise BadInput(f"{name} holds no messages.")
    return conversations
