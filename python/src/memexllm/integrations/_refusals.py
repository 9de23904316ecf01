"""Whether a request holds all that the caller passed, and what to say when it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..context import Strategy
from ..errors import InvalidError, LimitError, MemexError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..context import Pipeline, Window

# Reasons of docs/reference/context.md. Prompts that a later one of the same call supersedes are
# left out on purpose; every other reason is the validator's or a limit's.
_SUPERSEDED = "superseded"
PROMPT = ("system", "developer")
_PINNED = ("system", "pinned", "group")
_LIMITS = ("budget", "fifo", "strategy", "cut", "not_examined")
_RULES = {
    "unanswered": "part of tool calls that have not all their results: send the missing ones too",
    "no_call": "a tool message that answers no call: its tool_call_id is of no call without a "
    "result in the last answer",
    "role": "of a role that the API does not take",
    "malformed": "not of the form that the API takes",
}


@dataclass(frozen=True)
class Expected:
    """What a request must hold.

    Attributes:
        indices: Where in the caller's messages each message is, by seq; None for one that an
            earlier call stored.
        calls: The ids of the tool calls that the last answer made.
        entries: Reads (seq, role, tokens) of the messages from the first of them on, and of the
            call that it answers.
    """

    indices: Mapping[int, int | None]
    calls: frozenset[str]
    entries: Callable[[], list[tuple[int, str, int]]]


@dataclass(frozen=True)
class Limits:
    """What a request may hold at most: of with_history and of its strategy."""

    max_tokens: int | None
    strategy: Strategy | Pipeline | None

    def _steps(self, kind: str, key: str) -> list[int]:
        pipeline = self.strategy.pipeline if isinstance(self.strategy, Strategy) else self.strategy
        steps: Any = [pipeline] if hasattr(pipeline, "keys") else pipeline or []
        return [step[key] for step in steps if step.get("type") == kind]

    @property
    def tokens(self) -> int | None:
        """The smallest budget."""
        budgets = self._steps("token_budget", "max_tokens")
        budgets += [] if self.max_tokens is None else [self.max_tokens]
        return min(budgets, default=None)

    @property
    def messages(self) -> int | None:
        """The smallest number of messages."""
        return min(self._steps("fifo", "last"), default=None)


def check(window: Window, turn: Expected, limits: Limits) -> None:
    """Raises when a window lacks a message of the turn.

    Raises:
        LimitError: A budget or a strategy has no room for it.
        InvalidError: The provider would refuse it, or there is nothing to send.
    """
    there = set(window.seqs)
    lacking = {
        seq: reason
        for seq in turn.indices
        if seq not in there
        if (reason := _reason(window, seq)) != _SUPERSEDED
    }
    if lacking:
        raise _refusal(window, turn, limits, lacking)
    if not there:
        raise InvalidError("there is nothing to send: messages and the conversation are empty")


def _reason(window: Window, seq: int) -> str:
    for entry in window.left_out:
        if entry.get("seq") == seq:
            return str(entry["reason"])
    return "not_examined"


def _refusal(window: Window, turn: Expected, limits: Limits, lacking: dict[int, str]) -> MemexError:
    details: dict[str, Any] = {
        "messages": [index for seq in lacking if (index := turn.indices[seq]) is not None],
        "reasons": list(lacking.values()),
    }
    for seq, reason in lacking.items():
        if reason == "call_not_examined" and not turn.calls:
            reason = "no_call"
        if reason not in _LIMITS and reason != "call_not_examined":
            rule = _RULES.get(reason, f"left out ({reason})")
            text = f"{_name(turn, seq)} is {rule}. Nothing was sent"
            return InvalidError(text, details=details)
    seq, reason = next(iter(lacking.items()))
    if reason in ("strategy", "cut"):
        text = f"the strategy leaves out {_name(turn, seq)}: it must keep the new turn"
        return LimitError(f"{text}. Nothing was sent", details=details)
    if reason != "fifo" and limits.tokens is None:
        text = f"no room for {_name(turn, seq)}: a window looks at the newest 10,000 messages"
        return LimitError(f"{text}; append older ones yourself. Nothing was sent", details=details)
    kept = {entry["seq"]: entry["tokens"] for entry in window.kept if entry["reason"] in _PINNED}
    gone = {entry.get("seq") for entry in window.left_out if entry["reason"] == _SUPERSEDED}
    more = [tokens for at, _, tokens in turn.entries() if at not in kept and at not in gone]
    if reason == "fifo":
        details.update(needed=len(more), limit=limits.messages)
        text = f"needs {len(more)} messages, fifo keeps the last {limits.messages}"
    else:
        details.update(needed=sum(kept.values()) + sum(more), limit=limits.tokens)
        text = f"needs {details['needed']} tokens with what is pinned, {limits.tokens} are allowed"
    text = f"no room for {_name(turn, seq)}: the new turn {text}; raise the limit or shorten it"
    return LimitError(f"{text}. Nothing was sent", details=details)


def pins_pass(error: LimitError, turn: Expected) -> None:
    """Completes the error of a window whose pinned messages alone pass the budget."""
    if "needed" not in error.details:
        return
    more = [tokens for _, role, tokens in turn.entries() if role not in PROMPT]
    error.details["needed"] += sum(more)
    error.details["messages"] = [index for index in turn.indices.values() if index is not None]


def _name(turn: Expected, seq: int) -> str:
    index = turn.indices[seq]
    return f"message {seq} of the conversation" if index is None else f"messages[{index}]"
