"""Steps of a window's pipeline. A list of them is applied in order.

window = thread.context(
    max_tokens=8000, strategy=[strategies.pin(), strategies.token_budget(6000)]
)

The window's own max_tokens always comes last and needs no step: without any, system messages are
pinned and the newest messages that fit are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._checks import SEQ, boolean, integer, names, text
from .context import Strategy, build_context, register_strategy, unregister_strategy

Step = dict[str, Any]


def fifo(last: int) -> Step:
    """Keeps the last messages."""
    return {"type": "fifo", "last": integer("last", last, (1, SEQ))}


def token_budget(max_tokens: int) -> Step:
    """Keeps the newest messages that fit into a number of tokens."""
    return {"type": "token_budget", "max_tokens": integer("max_tokens", max_tokens)}


def pin(roles: Sequence[str] = ("system", "developer"), *, flagged: bool = True) -> Step:
    """Keeps messages of some roles, and those that were pinned when they were stored."""
    return {
        "type": "pin",
        "roles": names("roles", roles),
        "flagged": boolean("flagged", flagged),
    }


def custom(name: str, **settings: Any) -> Step:
    """A step of register_strategy, with settings of its own and, as examine, how far it looks."""
    return {"type": text("name", name), **settings}


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
