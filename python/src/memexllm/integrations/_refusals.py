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
_LIMITS = ("budget", "fifo", "strategy", "cut")
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
        whole: Builds the window that there would be without limits, of a pipeline that only pins.
    """

    indices: Mapping[int, int | None]
    calls: frozenset[str]
    whole: Callable[[], Window]


@dataclass(frozen=True)
class Limits:
    """What a request may hold at most: of with_history and of its strategy."""

    max_tokens: int | None
    strategy: Strategy | Pipeline | None

    def _steps(self, kind: str) -> list[Any]:
        pipeline = self.strategy.pipeline if isinstance(self.strategy, Strategy) else self.strategy
        steps: Any = [pipeline] if hasattr(pipeline, "keys") else pipeline or []
        return [step for step in steps if step.get("type") == kind]

    @property
    def pins(self) -> Pipeline | None:
        """The pipeline's steps that limit nothing."""
        return self._steps("pin") or None

    @property
    def tokens(self) -> int | None:
        """The smallest budget."""
        budgets = [step["max_tokens"] for step in self._steps("token_budget")]
        budgets += [] if self.max_tokens is None else [self.max_tokens]
        return min(budgets, default=None)

    @property
    def messages(self) -> int | None:
        """The smallest number of messages."""
        return min((step["last"] for step in self._steps("fifo")), default=None)


def check(window: Window, turn: Expected, limits: Limits) -> None:
    """Raises when a window lacks a message of the turn.

    Raises:
        LimitError: A budget or a strategy has no room for it.
        InvalidError: The provider would refuse it, or there is nothing to send.
    """
    there = set(window.seqs)
    if any(seq not in there and _reason(window, seq) != _SUPERSEDED for seq in turn.indices):
        _refuse(window, turn, limits)
    if not there:
        raise InvalidError("there is nothing to send: messages and the conversation are empty")


def pins_pass(error: LimitError, turn: Expected, limits: Limits) -> None:
    """Raises for a window whose pinned messages alone pass the budget, if there is a turn."""
    if turn.indices and "needed" in error.details:
        _refuse(None, turn, limits)


def _refuse(window: Window | None, turn: Expected, limits: Limits) -> None:
    """Raises unless all that a window lacks is superseded; without a window it lacks all."""
    whole = turn.whole()
    there = set(whole.seqs)
    lacking = {seq: reason for seq in turn.indices if (reason := _reason(whole, seq))}
    lacking = {seq: reason for seq, reason in lacking.items() if reason != _SUPERSEDED}
    if lacking:
        raise _invalid(turn, lacking, whole)
    has = set(window.seqs) if window else set()
    cut = [seq for seq in turn.indices if seq in there and seq not in has]
    if cut:
        raise _over(window, turn, limits, cut, whole)


def _reason(window: Window, seq: int) -> str | None:
    """Why a window lacks a message; None when it does not."""
    if seq in window.seqs:
        return None
    for entry in window.left_out:
        if entry.get("seq") == seq:
            return str(entry["reason"])
    return "not_examined"


def _details(turn: Expected, reasons: Mapping[int, str]) -> dict[str, Any]:
    return {
        "messages": [index for seq in reasons if (index := turn.indices[seq]) is not None],
        "reasons": list(reasons.values()),
    }


def _invalid(turn: Expected, lacking: dict[int, str], whole: Window) -> MemexError:
    """The error for messages that no limit keeps out."""
    details = _details(turn, lacking)
    for seq, reason in lacking.items():
        if reason == "call_not_examined" and not turn.calls:
            reason = "no_call"
        if not reason.endswith("not_examined"):
            rule = _RULES.get(reason, f"left out ({reason})")
            broken = _broken_before(whole, seq) if reason == "no_call" else None
            if broken:
                rule += f"; message {broken} of the conversation is not of the form that the API "
                rule += "takes (of calls: ids of 1 to 40 characters, names of letters, digits, _ "
                rule += "and -), so its calls cannot be sent"
                details["malformed"] = broken
            return InvalidError(f"{_name(turn, seq)} is {rule}. Nothing was sent", details=details)
    text = f"no room for {_name(turn, next(iter(lacking)))}: a window looks at the newest 10,000"
    text += " messages; append older ones yourself. Nothing was sent"
    return LimitError(text, details=details)


def _broken_before(whole: Window, seq: int) -> int | None:
    """The newest message before a seq that is left out for its form."""
    broken = (entry["seq"] for entry in whole.left_out if entry["reason"] == "malformed")
    return max((number for number in broken if number < seq), default=None)


def _over(
    window: Window | None, turn: Expected, limits: Limits, cut: list[int], whole: Window
) -> LimitError:
    """The error for messages that a limit, or a strategy of the caller's, keeps out."""
    tokens, messages = _needed(whole, set(cut))
    over_tokens = limits.tokens is not None and tokens > limits.tokens
    over_messages = limits.messages is not None and messages > limits.messages
    reasons = {seq: _reason(window, seq) if window else None for seq in cut}
    name = _name(turn, cut[0])
    if over_messages and not (over_tokens and reasons[cut[0]] != "fifo"):
        limit, details = "fifo", {"needed": messages, "limit": limits.messages}
        text = f"needs {messages} messages, fifo keeps the last {limits.messages}"
    elif over_tokens:
        limit, details = "budget", {"needed": tokens, "limit": limits.tokens}
        text = f"needs {tokens} tokens with what is pinned, {limits.tokens} are allowed"
    else:
        limit, details = "strategy", {}
        text = f"the strategy leaves out {name}: it must keep the new turn"
    if details:
        text = f"no room for {name}: the new turn {text}; raise the limit or shorten it"
    said = {seq: reason if reason in _LIMITS else limit for seq, reason in reasons.items()}
    return LimitError(f"{text}. Nothing was sent", details={**_details(turn, said), **details})


def _needed(whole: Window, cut: set[int]) -> tuple[int, int]:
    """How many tokens, and messages that are not pinned, a window must hold to hold some.

    A limit keeps the newest units without a hole. A unit is a message, or calls with their
    results, at the place of the calls.
    """
    first = len(whole.kept)
    start = 0
    for place, (entry, body) in enumerate(zip(whole.kept, whole.messages)):
        if body.get("role") != "tool":
            start = place
        if entry["seq"] in cut and entry["reason"] not in _PINNED:
            first = start
            break
    tokens = messages = 0
    for place, entry in enumerate(whole.kept):
        pinned = entry["reason"] in _PINNED
        if pinned or place >= first:
            tokens += entry["tokens"]
        if not pinned and place >= first:
            messages += 1
    return tokens, messages


def _name(turn: Expected, seq: int) -> str:
    index = turn.indices[seq]
    return f"message {seq} of the conversation" if index is None else f"messages[{index}]"
