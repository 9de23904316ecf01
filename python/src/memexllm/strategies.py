"""Steps of a window's pipeline. A list of them is applied in order.

window = thread.context(
    max_tokens=8000, strategy=[strategies.pin(), strategies.token_budget()]
)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .context import Strategy, build_context, register_strategy, unregister_strategy

Step = dict[str, Any]


def fifo(last: int) -> Step:
    """Keeps the last messages."""
    return {"type": "fifo", "last": last}


def token_budget(max_tokens: int | None = None) -> Step:
    """Keeps the newest messages that fit into a number of tokens; by default the window's."""
    return (
        {"type": "token_budget"}
        if max_tokens is None
        else {"type": "token_budget", "max_tokens": max_tokens}
    )


def pin(roles: Sequence[str] = ("system",), *, flagged: bool = True) -> Step:
    """Keeps messages of some roles, and those that were pinned when they were stored."""
    return {"type": "pin", "roles": list(roles), "flagged": flagged}


def custom(name: str, **settings: Any) -> Step:
    """A step of register_strategy, with settings of its own and, as examine, how far it looks."""
    return {"type": name, **settings}


__all__ = [
    "Step",
    "Strategy",
    "build_context",
    "custom",
    "fifo",
    "pin",
    "register_strategy",
    "token_budget",
    "unregister_strategy",
]
