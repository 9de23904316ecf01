"""Turns of a conversation with a chat-completions model: what is new, what the model sees."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from .._json import dump
from ..context import build_context
from ..errors import ExistsError, InvalidError, LimitError, MemexError
from ..thread import Thread
from ..transaction import _View as TransactionView
from . import _answers
from ._messages import bodies_of, sendable
from ._pending import TURN, Pending, without_history, without_known_prompt
from ._refusals import Expected, Limits, check, pins_pass

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..context import Pipeline, Strategy, Window
    from ..store import Store
    from ._deltas import Completion


@dataclass(frozen=True)
class Turn:
    """One call: its input is stored, its answer is to be.

    Attributes:
        thread: The conversation.
        messages: What the model sees.
    """

    thread: Thread
    messages: list[dict[str, Any]]

    def finish(self, completion: Any) -> None:
        """Stores an answer."""
        _answers.keep(self.thread, completion)

    def finish_stream(self, completion: Completion) -> None:
        """Stores what a stream brought."""
        _answers.keep_stream(self.thread, completion)


class History:  # pylint: disable=too-few-public-methods
    """Keeps conversations with chat-completions models in a store.

    Attributes:
        store: Where.
        limits: What a request may hold at most, see Thread.context.
    """

    def __init__(
        self,
        store: Store,
        max_tokens: int | None = None,
        strategy: Strategy | Pipeline | None = None,
    ) -> None:
        self.store = store
        self.limits = Limits(max_tokens, strategy)

    def begin(self, thread_id: Any, messages: Any) -> Turn:
        """Stores what is new of the messages of a call, unless the request lacks any of it.

        Args:
            thread_id: The conversation: a Thread, or its id. Created when there is none of that
                id, or without id.
            messages: Of the call: the new turn, or the whole conversation and the new turn.

        Raises:
            LimitError, InvalidError: The request would lack a message of the turn. Nothing was
                stored, but for results of parallel tool calls that wait for the others.
        """
        given = bodies_of(messages)
        thread = self._find(thread_id)
        if thread is None:
            self._check_first(given)
            thread = self._create(thread_id)
        pending = Pending(thread)
        new = without_history(thread, list(enumerate(given)))
        indices: dict[int, int | None] = {}
        again = pending.again(thread, new)
        if again is not None:
            new, indices = [], again
        else:
            new = pending.without_results(without_known_prompt(thread, new), indices)
        if not new and not indices:
            indices = {message.seq: None for message in pending.messages}
        stored = _store(thread, new, pending) if new else None
        if stored is not None:
            indices.update(zip(stored.seqs, (index for index, _ in new)))
        pins = self.limits.pins
        expected = Expected(indices, pending.calls, lambda: thread.context(strategy=pins))
        window = self._window(thread, expected, stored, [body for _, body in new])
        return Turn(thread, [sendable(body) for body in window.messages])

    def _window(
        self,
        thread: Thread,
        expected: Expected,
        stored: _Stored | None,
        new: list[dict[str, Any]],
    ) -> Window:
        def build() -> Window:
            return thread.context(self.limits.max_tokens, strategy=self.limits.strategy)

        try:
            return self._checked(build, expected)
        except MemexError as error:
            there = stored is None or stored.before
            if _waits(error, new):
                there = True
                error.details["missing"] = _missing(thread)
            elif stored is not None and not there:
                there = not _take_back(thread, stored.seqs)
            error.details["stored"] = there
            raise

    def _check_first(self, given: list[dict[str, Any]]) -> None:
        """Checks the first turn, as it will be counted, before its thread is made."""
        indices: dict[int, int | None] = {index + 1: index for index in range(len(given))}

        def whole() -> Window:
            return build_context(given, strategy=self.limits.pins, tokenizer=self.store.tokenizer)

        def build() -> Window:
            return build_context(
                given,
                self.limits.max_tokens,
                strategy=self.limits.strategy,
                tokenizer=self.store.tokenizer,
            )

        try:
            self._checked(build, Expected(indices, frozenset(), whole))
        except MemexError as error:
            error.details["stored"] = False
            raise

    def _checked(self, build: Callable[[], Window], expected: Expected) -> Window:
        try:
            window = build()
        except LimitError as error:
            pins_pass(error, expected, self.limits)
            raise
        check(window, expected, self.limits)
        return window

    def _find(self, thread_id: Any) -> Thread | None:
        thread = getattr(thread_id, "sync", thread_id)
        if isinstance(thread, Thread) and isinstance(thread.store, TransactionView):
            raise InvalidError(
                "thread_id must not be a thread of a transaction, which cannot read what it "
                "wrote: open it on the store"
            )
        if thread is None or isinstance(thread, Thread):
            return thread
        if not isinstance(thread, str):
            raise InvalidError("thread_id must be a thread or the id of one, as text")
        return self.store.threads.get(thread)

    def _create(self, thread_id: str | None) -> Thread:
        if thread_id is None:
            return self.store.threads.create()
        try:
            return self.store.threads.create(id=thread_id)
        except ExistsError:
            # Somebody else was faster.
            return self.store.threads.open(thread_id)


@dataclass(frozen=True)
class _Stored:
    """Where the input of a turn is, and whether an earlier call stored it."""

    seqs: range
    before: bool


def _store(thread: Thread, new: list[tuple[int, dict[str, Any]]], pending: Pending) -> _Stored:
    """Stores the input of a turn, once.

    Of calls that pass the same at the same time, after the same message, one stores it.
    """
    bodies = [body for _, body in new]
    key = f"{TURN}{pending.last}-{sha256(dump(bodies)).hexdigest()}"
    while True:
        receipt = thread.append(bodies, idempotency_key=key, provenance={"source": "input"})
        seqs = range(receipt.first_seq, receipt.last_seq + 1)
        if not receipt.duplicate or _all_there(thread, seqs):
            return _Stored(seqs, receipt.duplicate)
        # It was deleted, by its owner or because it was refused: this is another one.
        key = f"{key[:90]}-{receipt.last_seq}"


def _all_there(thread: Thread, seqs: range) -> bool:
    return len(thread.messages(from_seq=seqs[0], to_seq=seqs[-1])) == len(seqs)


def _take_back(thread: Thread, seqs: range) -> bool:
    """Deletes the input of a turn that was refused; False when that fails."""
    try:
        with thread.store.transaction() as transaction:
            view = transaction.threads.open(thread.id)
            for seq in seqs:
                view.message(seq).delete()
    except MemexError:
        return False
    return True


def _waits(error: MemexError, new: list[dict[str, Any]]) -> bool:
    """Whether all that was refused are results of tool calls that wait for the others."""
    reasons = error.details.get("reasons")
    if not isinstance(error, InvalidError) or not reasons or set(reasons) != {"unanswered"}:
        return False
    return all(body.get("role") == "tool" for body in new)


def _missing(thread: Thread) -> list[str]:
    pending = Pending(thread)
    have = {message.body.get("tool_call_id") for message in pending.messages}
    return sorted(pending.calls - have)
