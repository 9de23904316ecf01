"""Turns of a conversation with a chat-completions model: what is new, what the model sees."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from .. import strategies
from .._json import dump
from ..errors import ExistsError, MemexError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..context import Pipeline, Strategy
    from ..store import Store
    from ..thread import Thread
    from ._deltas import Completion

_PROMPT = ("system", "developer")
# What a reply has and a request does not take back.
_REPLY_ONLY = ("annotations", "parsed")


def plain(value: Any) -> Any:
    """A value of the SDK's as JSON: dicts as they are, objects without what is None or not set."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_unset=True, exclude_none=True, warnings=False)
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    if hasattr(value, "__iter__") and not isinstance(value, (str, bytes)):
        return [plain(entry) for entry in value]
    return value


def body_of(message: Any) -> dict[str, Any]:
    """A message as it is stored: ready to be sent again."""
    body: dict[str, Any] = plain(message)
    for name in _REPLY_ONLY:
        if not body.get(name) or name == "parsed":
            body.pop(name, None)
    for call in body.get("tool_calls") or []:
        if isinstance(call.get("function"), dict):
            call["function"].pop("parsed_arguments", None)
    return body


def sendable(body: dict[str, Any]) -> dict[str, Any]:
    """A stored message as a request takes it."""
    if body.get("role") != "assistant":
        return body
    audio = body.get("audio")
    sent = {name: value for name, value in body.items() if name not in _REPLY_ONLY}
    if isinstance(audio, dict) and "id" in audio:
        sent["audio"] = {"id": audio["id"]}
    return sent


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two messages say the same to the model."""
    return _said(one) == _said(other)


def _said(message: Mapping[str, Any]) -> dict[str, Any]:
    sent = sendable(body_of(dict(message)))
    return {name: value for name, value in sent.items() if value is not None}


class History:  # pylint: disable=too-few-public-methods
    """Keeps conversations with chat-completions models in a store.

    Attributes:
        store: Where.
        max_tokens: What a request may hold at most; None for the whole conversation.
        strategy: How what the model sees is chosen, see Thread.context.
    """

    def __init__(
        self,
        store: Store,
        max_tokens: int | None = None,
        strategy: Strategy | Pipeline | None = None,
    ) -> None:
        self.store = store
        self.max_tokens = max_tokens
        self.strategy = strategy

    def begin(self, thread_id: str | None, messages: Iterable[Any]) -> Turn:
        """Stores what is new of the messages of a call.

        Args:
            thread_id: The conversation; created when there is none of that id, or without id.
            messages: Of the call: the new turn, or the whole conversation and the new turn.
        """
        given = [body_of(message) for message in messages]
        thread = self._thread(thread_id)
        new = _without_known_prompt(thread, _without_history(thread, given))
        if new:
            key = _turn_key(thread, new)
            thread.append(new, idempotency_key=key, provenance={"source": "input"})
        window = thread.context(max_tokens=self.max_tokens, strategy=self.strategy)
        return Turn(thread, [sendable(body) for body in window.messages])

    def _thread(self, thread_id: str | None) -> Thread:
        if thread_id is None:
            return self.store.threads.create()
        try:
            return self.store.threads.open(thread_id)
        except NotFoundError:
            try:
                return self.store.threads.create(id=thread_id)
            except ExistsError:
                # Somebody else was faster.
                return self.store.threads.open(thread_id)


class Turn:
    """One call: its input is stored, its answer is to be.

    Attributes:
        thread: The conversation.
        messages: What the model sees.
    """

    def __init__(self, thread: Thread, messages: list[dict[str, Any]]) -> None:
        self.thread = thread
        self.messages = messages

    def finish(self, completion: Any) -> None:
        """Stores the first choice of a completion, the others in its provenance."""
        document = plain(completion)
        choices = document.pop("choices", None) or []
        if not choices:
            return
        bodies = [body_of(choice.get("message") or {}) for choice in choices]
        facts = {name: document[name] for name in document if name not in ("object", "created")}
        reasons = [choice.get("finish_reason") for choice in choices]
        self._append(bodies, reasons, facts, completion)

    def finish_stream(self, completion: Completion) -> None:
        """Stores what a stream brought; as incomplete when it ended before the model had."""
        choices = [choice for _, choice in sorted(completion.choices.items())]
        if not choices:
            return
        bodies = [body_of(choice.body()) for choice in choices]
        reasons = [choice.finish_reason for choice in choices]
        self._append(bodies, reasons, completion.facts, None)

    def _append(
        self,
        bodies: list[dict[str, Any]],
        reasons: list[Any],
        facts: dict[str, Any],
        completion: Any,
    ) -> None:
        provenance: dict[str, Any] = {"source": "openai", **facts}
        if reasons[0] is not None:
            provenance["finish_reason"] = reasons[0]
        if len(bodies) > 1:
            provenance["other_choices"] = [
                {"message": body, "finish_reason": reason}
                for body, reason in zip(bodies[1:], reasons[1:])
            ]
        state: Any = "incomplete" if reasons[0] is None else "complete"
        try:
            self.thread.append(bodies[0], provenance=provenance, state=state)
        except MemexError as error:
            # The answer was paid for: it goes to the caller with the error.
            error.details["completion"] = completion if completion is not None else bodies
            raise


def _without_history(thread: Thread, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is left of a call's messages when they begin with the whole conversation."""
    count = thread.count()
    if not 0 < count <= len(given):
        return given
    stored = thread.bodies()
    if all(same(old, new) for old, new in zip(stored, given)):
        return given[len(stored) :]
    return given


def _without_known_prompt(thread: Thread, given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leaves out the system messages that a call begins with, when they are stored already."""
    length = 0
    while length < len(given) and given[length].get("role") in _PROMPT:
        length += 1
    if not length:
        return given
    known = _prompt(thread)
    if len(known) == length and all(same(old, new) for old, new in zip(known, given)):
        return given[length:]
    return given


def _prompt(thread: Thread) -> list[dict[str, Any]]:
    """The system messages in force: the last one, and those right before it."""
    if not thread.count():
        return []
    window = thread.context(strategy=[strategies.pin(_PROMPT, flagged=False), strategies.fifo(1)])
    last = max(
        (seq for seq, body in zip(window.seqs, window.messages) if body.get("role") in _PROMPT),
        default=0,
    )
    found: list[dict[str, Any]] = []
    while last > 0:
        try:
            message = thread.message(last)
        except NotFoundError:
            break
        if message.role not in _PROMPT:
            break
        found.insert(0, message.body)
        last -= 1
    return found


def _turn_key(thread: Thread, new: list[dict[str, Any]]) -> str:
    """The idempotency key of a turn: the same input after the same answer is the same turn.

    So a call that is made again because it failed stores its input once.
    """
    answered = 0
    for message in reversed(thread.messages(page_size=16)):
        if message.role == "assistant":
            answered = message.seq
            break
    return f"turn-{answered}-{sha256(dump(new)).hexdigest()}"
