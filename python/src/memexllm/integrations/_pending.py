"""What of a call's messages is stored already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import strategies
from ..errors import ConflictError, NotFoundError
from ._messages import calls_of, same
from ._refusals import PROMPT

if TYPE_CHECKING:
    from ..message import Message
    from ..thread import Thread

    Numbered = list[tuple[int, dict[str, Any]]]

# How the idempotency keys of turns begin.
TURN = "turn-"


class Pending:
    """The end of a conversation: what came after the last answer.

    An answer that was cut off is none: the model does not see it.

    Attributes:
        answered: The place of the last answer, 0 for none.
        calls: The ids of the tool calls in it.
        messages: What came after it.
        turn: Those of them that the last call stored, when they are the last.
    """

    def __init__(self, thread: Thread) -> None:
        self.answered = 0
        self.calls: frozenset[str] = frozenset()
        self.messages: list[Message] = []
        for message in reversed(thread.messages(page_size=16)):
            if message.state != "complete":
                continue
            if message.role == "assistant":
                self.answered = message.seq
                calls = calls_of(message.body)
                self.calls = frozenset(str(call["id"]) for call in calls if "id" in call)
                break
            self.messages.append(message)
        self.messages.reverse()
        self.turn = _last_turn(self.messages)

    @property
    def last(self) -> int:
        """The place of the last message that is no answer that was cut off, 0 for none."""
        return self.messages[-1].seq if self.messages else self.answered

    def again(self, thread: Thread, given: Numbered) -> dict[int, int | None] | None:
        """Where a call's messages are, if they are the turn that waits for its answer.

        Only the last turn can be called again: of an earlier one the model would see what came
        after it as the newest. What was stored before that turn is not in it.
        """
        if not self.turn:
            return None
        earlier = self.messages[: -len(self.turn)]
        indices: dict[int, int | None] = {}
        left = given
        if self.turn[0].role not in PROMPT:
            left = without_known_prompt(thread, given)
        if not _are(self.turn, left):
            left = _without_results(earlier, left, indices)
            if not _are(self.turn, left):
                return None
        indices.update((one.seq, index) for one, (index, _) in zip(self.turn, left))
        return indices

    def without_results(self, given: Numbered, indices: dict[int, int | None]) -> Numbered:
        """Leaves out results of the pending calls that are stored already, and notes where.

        So the results of parallel calls may come one by one, or all again with the last.
        """
        return _without_results(self.messages, given, indices)


def _last_turn(messages: list[Message]) -> list[Message]:
    """The messages at the end that one call stored: the first of them has its key."""
    try:
        for place in range(len(messages) - 1, -1, -1):
            message = messages[place]
            if message.provenance.get("source") != "input":
                break
            if (message.idempotency_key or "").startswith(TURN):
                return messages[place:]
    except (ConflictError, NotFoundError):
        # Changed or deleted by somebody meanwhile: it is not what a call stored.
        pass
    return []


def _are(turn: list[Message], given: Numbered) -> bool:
    return len(turn) == len(given) and all(
        same(message.body, body) for message, (_, body) in zip(turn, given)
    )


def _without_results(
    messages: list[Message], given: Numbered, indices: dict[int, int | None]
) -> Numbered:
    results = {
        str(message.body.get("tool_call_id")): message
        for message in messages
        if message.role == "tool"
    }
    left = []
    for index, body in given:
        known = results.get(str(body.get("tool_call_id")))
        if body.get("role") == "tool" and known is not None and same(known.body, body):
            indices[known.seq] = index
        else:
            left.append((index, body))
    return left


def without_history(thread: Thread, given: Numbered) -> Numbered:
    """What is left of a call's messages when they begin with the whole conversation.

    Answers that were cut off may be among them or not: the model does not see them.
    """
    if not given:
        return given
    # How many of the messages may stand for what was read so far, and for that without what was
    # cut off at its end.
    ends, least = {0}, 0
    for message in thread.messages(page_size=min(len(given) + 1, 500)):
        known = _as_it_came(message)
        more = {at + 1 for at in ends if at < len(given) and _is_one_of(known, given[at][1])}
        ends = more if message.state == "complete" else ends | more
        if not ends:
            return given
        if message.state == "complete":
            least = max(ends)
    end = max(ends)
    if end == len(given):
        # An input that the model never saw is asked for again, an answer is not.
        while end > least and given[end - 1][1].get("role") != "assistant":
            end -= 1
    return given[end:]


def _is_one_of(known: list[dict[str, Any]], body: dict[str, Any]) -> bool:
    return any(same(one, body) for one in known)


def _as_it_came(message: Message) -> list[dict[str, Any]]:
    """What a caller may have of a message: of half a tool call more than is sent again."""
    if message.state == "complete":
        return [message.body]
    half = message.provenance.get("cut_off") if message.provenance else None
    return [message.body] + ([{**message.body, **half}] if isinstance(half, dict) else [])


def without_known_prompt(thread: Thread, given: Numbered) -> Numbered:
    """Leaves out the system messages that a call begins with, when they are stored already."""
    length = 0
    while length < len(given) and given[length][1].get("role") in PROMPT:
        length += 1
    if not length:
        return given
    known = _prompt(thread)
    if len(known) == length and all(same(old, new) for old, (_, new) in zip(known, given)):
        return given[length:]
    return given


def _prompt(thread: Thread) -> list[dict[str, Any]]:
    """The system messages in force."""
    if not thread.count():
        return []
    window = thread.context(strategy=[strategies.pin(PROMPT, flagged=False), strategies.fifo(1)])
    return [body for body, kept in zip(window.messages, window.kept) if kept["reason"] == "system"]
