"""How notebooks show things. Everything that was stored is escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from ._json import encode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .context import Window
    from .message import Message
    from .messages import Messages
    from .thread import Thread

_SHOWN = 50


def _content(body: dict[str, Any]) -> str:
    content = body.get("content")
    text = content if isinstance(content, str) else "" if content is None else encode(content)
    parts = [f"<div style='white-space:pre-wrap'>{escape(text)}</div>"] if text else []
    for call in body.get("tool_calls") or []:
        function = call.get("function", {}) if isinstance(call, dict) else {}
        name, arguments = str(function.get("name", "?")), str(function.get("arguments", ""))
        parts.append(f"<code>{escape(name)}({escape(arguments)})</code>")
    return "".join(parts)


def _table(rows: Iterable[tuple[str, str, str]]) -> str:
    lines = "".join(
        f"<tr><td>{escape(first)}</td><td><b>{escape(second)}</b></td>"
        f"<td style='text-align:left'>{third}</td></tr>"
        for first, second, third in rows
    )
    return f"<table>{lines}</table>"


def message(value: Message) -> str:
    """One message."""
    return _table([(str(value.seq), value.role, _content(value.body))])


def messages(value: Messages) -> str:
    """Messages; of many, the last."""
    shown = list(value)[-_SHOWN:]
    return _table((str(entry.seq), entry.role, _content(entry.body)) for entry in shown)


def thread(value: Thread) -> str:
    """A thread: its title and its last messages."""
    info = value.get()
    head = f"<p><b>{escape(info.title or info.id)}</b>, {info.message_count} messages</p>"
    return head + messages(value.messages(last=_SHOWN))


def window(value: Window) -> str:
    """A window: what is in it, and what was left out for which reason."""
    shown = zip(value.seqs, value.messages)
    head = (
        f"<p><b>{value.tokens} tokens</b> ({escape(value.tokenizer)}), "
        f"{len(value.messages)} of {value.message_count} messages</p>"
    )
    kept = _table((str(seq), str(body.get("role", "")), _content(body)) for seq, body in shown)
    left = _table(
        (
            str(entry.get("seq") or f"{entry.get('from_seq')}-{entry.get('to_seq')}"),
            "left out",
            escape(str(entry.get("reason", ""))),
        )
        for entry in value.left_out
    )
    return head + kept + (left if value.left_out else "")
