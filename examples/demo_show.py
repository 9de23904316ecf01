"""Shows conversations, windows and figures in a terminal: plain ANSI, as wide as there is room."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_STYLES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}
_ROLES = {
    "system": "magenta",
    "developer": "magenta",
    "user": "cyan",
    "assistant": "green",
    "tool": "yellow",
    "function": "yellow",
}


def _wants_color() -> bool:
    return (
        sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


# Invisible, and needed by scripts and emoji.
_JOINERS = "\u200c\u200d"
COLOR = _wants_color()
UNICODE = "utf" in (sys.stdout.encoding or "").lower()
WIDTH = max(56, min(104, shutil.get_terminal_size((88, 24)).columns))
_GLYPHS = {
    "line": ("─", "-"),
    "yes": ("✓", "+"),
    "no": ("·", "."),
    "call": ("→", "->"),
    "more": ("…", "..."),
    "times": ("×", "x"),
    "to": ("–", "-"),
    "full": ("█", "#"),
    "empty": ("░", "."),
    "micro": ("µs", "us"),
}


def glyph(name: str) -> str:
    """A mark that the terminal can show."""
    return _GLYPHS[name][0 if UNICODE else 1]


def paint(text: str, *styles: str) -> str:
    """The text in a style, where styles are wanted."""
    if not COLOR or not text:
        return text
    return f"\x1b[{';'.join(_STYLES[style] for style in styles)}m{text}\x1b[0m"


def columns(text: str) -> int:
    """How many columns a text takes: two for wide characters, none for combining ones."""
    total = 0
    for character in text:
        if unicodedata.combining(character) or character in "\u200c\u200d\ufe0e\ufe0f":
            continue
        total += 2 if unicodedata.east_asian_width(character) in "WF" else 1
    return total


def visible(text: str) -> str:
    """The text with escapes for what would steer the terminal: controls, bidirectional ones too."""
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    if character.isspace():
        return " "
    return character.encode("unicode_escape").decode()


def clip(text: str, room: int) -> str:
    """The text on one line of so many columns."""
    text = " ".join(visible(text).split())
    if columns(text) <= room:
        return text
    room -= len(glyph("more"))
    kept = ""
    for character in text:
        room -= columns(character)
        if room < 0:
            break
        kept += character
    return kept.rstrip() + glyph("more")


def pad(text: str, room: int) -> str:
    """The text with blanks up to so many columns."""
    return text + " " * max(0, room - columns(text))


def say(text: str = "") -> None:
    """Prints a line; what the terminal cannot show becomes a question mark."""
    encoding = sys.stdout.encoding or "ascii"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)


def heading(title: str, note: str = "") -> None:
    """A line with a title, and what is to say about it at its end."""
    used = columns(title) + columns(note) + (4 if note else 3)
    line = glyph("line") * max(2, WIDTH - used - 2)
    say()
    say(
        f"{paint(glyph('line') * 2, 'dim')} {paint(title, 'bold')} {paint(line, 'dim')}"
        + (f" {paint(note, 'dim')}" if note else "")
    )
    say()


def step(text: str, good: bool = True) -> None:
    """Something that was done, or is wrong."""
    mark = paint(glyph("yes"), "green") if good else paint("!", "red", "bold")
    first, *rest = textwrap.wrap(text, WIDTH - 6)
    say(f"  {mark} {first}")
    for line in rest:
        say(f"    {line}")


def size(count: int) -> str:
    """Bytes for people."""
    if count < 1000:
        return f"{count} bytes"
    if count < 1_000_000:
        return f"{count / 1000:.1f} kB"
    return f"{count / 1_000_000:.1f} MB"


def span(microseconds: float) -> str:
    """A span of time for people."""
    if microseconds < 1000:
        return f"{microseconds:.0f} {glyph('micro')}"
    if microseconds < 1_000_000:
        return f"{microseconds / 1000:.1f} ms"
    return f"{microseconds / 1_000_000:.2f} s"


# --- messages -----------------------------------------------------------------------------------


def _part(part: Any) -> str:
    if not isinstance(part, Mapping):
        return str(part)
    if isinstance(part.get("text"), str):
        return str(part["text"])
    kind = str(part.get("type", "part"))
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, Mapping) else None
    if isinstance(url, str) and url.startswith("data:"):
        return f"[image {url[5:].partition(';')[0]}, {size(len(url))}]"
    return f"[image {url}]" if isinstance(url, str) else f"[{kind}]"


def summary(body: Mapping[str, Any]) -> list[str]:
    """What a message says, in one or several pieces: text, parts, calls."""
    content = body.get("content")
    pieces = []
    if isinstance(content, str):
        pieces.append(content)
    elif isinstance(content, Sequence):
        pieces += [_part(part) for part in content]
    for call in body.get("tool_calls") or []:
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping):
            name, given = function.get("name", "?"), function.get("arguments", "")
            given = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
            pieces.append(f"{glyph('call')} {name}({given})")
    return [piece for piece in pieces if piece] or ["(nothing)"]


def message(seq: int, body: Mapping[str, Any]) -> None:
    """One message of a transcript."""
    role = str(body.get("role", "?"))
    room = WIDTH - 18
    label = paint(pad(clip(role, 9), 9), _ROLES.get(role, "blue"), "bold")
    first = True
    for piece in summary(body):
        lines = _wrap(piece, room, 1 if role == "tool" else 4)
        for line in lines:
            start = f"{seq:>5}  {label}" if first else " " * 16
            dimmed = role == "tool" or piece.startswith(glyph("call"))
            say(f"{start}  {paint(line, 'dim') if dimmed else line}")
            first = False


def _fit(text: str, room: int) -> int:
    """How many characters of a text fit into so many columns; one at least."""
    for place, character in enumerate(text):
        room -= columns(character)
        if room < 0:
            return max(1, place)
    return len(text)


def _paragraph(text: str, room: int) -> Iterator[str]:
    """The lines of a paragraph. A word that is wider than a line begins where the text before it
    ends, and goes on."""
    line = ""
    for word in visible(text).split():
        width, left = columns(word), room - columns(line) - 1 if line else room
        if line and width > left and (width <= room or left < room // 4):
            yield line
            line, left = "", room
        while columns(word) > left:
            end = _fit(word, left)
            yield f"{line} {word[:end]}" if line else word[:end]
            line, word, left = "", word[end:], room
        line = f"{line} {word}" if line else word
    if line:
        yield line


def _wrap(text: str, room: int, most: int) -> list[str]:
    lines = [line for paragraph in text.splitlines() for line in _paragraph(paragraph, room)]
    if len(lines) > most:
        rest = " ".join(lines[most - 1 :])
        lines = [*lines[: most - 1], clip(rest + " ", room) if columns(rest) > room else rest]
        if columns(rest) <= room:
            lines[-1] = clip(rest, room - 1) + glyph("more") if most > 1 else rest
    return lines or [""]


def transcript(messages: Iterable[tuple[int, Mapping[str, Any]]], count: int, most: int) -> None:
    """A conversation; of a long one its beginning and its end."""
    head = count if count <= most else most * 2 // 3
    tail = count - (most - head)
    for place, (seq, body) in enumerate(messages):
        if place < head or place >= tail:
            message(seq, body)
        elif place == head:
            note = f"{glyph('more')} {tail - head} more"
            say(" " * 18 + paint(note, "dim"))


# --- windows ------------------------------------------------------------------------------------

REASONS = {
    "system": "a system message always stays",
    "pinned": "pinned",
    "group": "belongs to what stays",
    "recent": "among the last ones",
    "strategy": "chosen so",
    "budget": "the budget was used up",
    "fifo": "not among the last ones",
    "cut": "not sent without its counterpart",
    "superseded": "a later one takes its place",
    "incomplete": "it was never finished",
    "format": "in another provider's format",
    "role": "a role that the provider does not take",
    "malformed": "the provider would refuse it",
    "unanswered": "a call without an answer",
    "no_call": "an answer without a call",
    "call_not_examined": "its call is too long ago",
    "not_examined": "older; the budget was full before",
}


def window(entries: Sequence[tuple[bool, int, int, str, int | None]]) -> None:
    """Runs of messages: kept or not, from, to, reason, tokens."""
    room = WIDTH - 38
    for kept, first, last, reason, tokens in entries:
        mark = paint(glyph("yes"), "green") if kept else paint(glyph("no"), "dim")
        places = str(first) if first == last else f"{first}{glyph('to')}{last}"
        verdict = "in " if kept else "out"
        text = clip(REASONS.get(reason, reason), room)
        amount = f"{tokens:>6} tokens" if tokens is not None else ""
        line = f"{pad(places, 11)}  {verdict}  {pad(text, room)}  {amount}".rstrip()
        say(f"   {mark} {line if kept else paint(line, 'dim')}")


def gauge(part: float, room: int) -> str:
    """A bar that is full to a part."""
    full = round(max(0.0, min(1.0, part)) * room)
    return paint(glyph("full") * full, "green") + paint(glyph("empty") * (room - full), "dim")


def figures(rows: Sequence[tuple[str, str, str]]) -> None:
    """Name, value and remark of each figure."""
    names = max(columns(name) for name, _, _ in rows) + 2
    values = max(columns(value) for _, value, _ in rows)
    for name, value, remark in rows:
        left = " " * (values - columns(value))
        room = WIDTH - names - values - 7
        say(
            f"   {pad(name, names)}{left}{paint(value, 'bold')}  {paint(clip(remark, room), 'dim')}"
        )


class Progress:
    """A line that grows while something long runs; nothing where there is no terminal."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total = what, total
        self._shown = time.monotonic() + 0.2  # short work needs no bar
        self._used = False

    def show(self, done: int) -> None:
        """Tells how far it is; draws at most ten times a second."""
        now = time.monotonic()
        if now < self._shown or not sys.stdout.isatty():
            return
        self._shown = now + 0.1
        self._used = True
        line = gauge(done / max(1, self._total), 30)
        print(f"\r    {self._what} {line} {done:,}/{self._total:,}", end="\x1b[K", flush=True)

    def clear(self) -> None:
        """Takes the line away."""
        if self._used:
            print("\r\x1b[K", end="", flush=True)
