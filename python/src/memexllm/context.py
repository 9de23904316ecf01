"""What the model sees of a conversation: windows and the strategies that choose them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._calls import call_bytes, call_handle
from ._checks import steps
from ._handle import Handle
from ._json import dump, loads
from ._lib import lib
from ._options import pack
from ._strategy_callbacks import register_strategy, unregister_strategy
from .errors import ClosedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .tokens import Tokenizer

    Pipeline = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class Strategy(Handle):
    """A pipeline of steps, prepared once for many windows. Safe to use from several threads.

    Attributes:
        pipeline: The steps, see memexllm.strategies.
    """

    __slots__ = ("pipeline",)

    _release = staticmethod(lib.memex_strategy_free)

    def __init__(self, pipeline: Pipeline) -> None:
        """Prepares one step or a list of steps, applied in order.

        Raises:
            InvalidError, NotFoundError: A step is wrong, or its type is not known.
        """
        self.pipeline = pipeline
        data = dump(pipeline if isinstance(pipeline, Mapping) else steps("pipeline", pipeline))
        super().__init__(call_handle(lib.memex_strategy_open, data, len(data)))

    @property
    def handle(self) -> int:
        """The native handle.

        Raises:
            ClosedError: The strategy is closed; the library would take none as the default.
        """
        if not self._handle:
            raise ClosedError("the strategy is closed; make another")
        return self._handle

    def _check_open(self) -> None:
        _ = self.handle

    def __repr__(self) -> str:
        return f"<Strategy {self.pipeline!r}>"


class Window:
    """What the model sees: a request that its provider accepts, and why it is what it is.

    Attributes:
        messages: The messages as dicts, ready for the provider.
        seqs: The place in the thread of each of them.
        tokens: How many tokens they are counted as.
        tokenizer: What counted them, an encoding or a model; "estimate" is an estimate.
        kept: ``{"seq", "reason", "tokens"}`` of each message that is in it, with what a strategy of
            the caller's said of it as ``"detail"``.
        left_out: ``{"seq", "reason", "tokens"}`` of each message that was looked at and is not,
            ``{"from_seq", "to_seq", "count", "reason"}`` of what was not looked at.
        changed: What was changed so that the provider accepts it.
        message_count: How many messages the thread had.
    """

    __slots__ = (
        "changed",
        "kept",
        "left_out",
        "message_count",
        "messages",
        "seqs",
        "tokenizer",
        "tokens",
    )

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.messages: list[dict[str, Any]] = document["messages"]
        self.seqs: list[int] = document["seqs"]
        self.tokens: int = document["tokens"]
        self.tokenizer: str = document["tokenizer"]
        self.kept: list[dict[str, Any]] = document["kept"]
        self.left_out: list[dict[str, Any]] = document["left_out"]
        self.changed: list[Any] = document["changed"]
        self.message_count: int = document["message_count"]

    def __len__(self) -> int:
        return len(self.messages)

    def __repr__(self) -> str:
        return f"<Window {len(self.messages)} of {self.message_count}, {self.tokens} tokens>"

    def _repr_html_(self) -> str:
        from ._html import window  # pylint: disable=import-outside-toplevel

        return window(self)


def build(
    function: Callable[..., int],
    before: tuple[Any, ...],
    strategy: Strategy | Pipeline | None,
    request: Mapping[str, Any],
    after: tuple[Any, ...] = (),
) -> Window:
    """Calls memex_context_build or its like: before, strategy, after, request."""
    data = pack(request)
    if strategy is None or isinstance(strategy, Strategy):
        handle = strategy.handle if strategy is not None else None
        return Window(loads(call_bytes(function, *before, handle, *after, data, len(data))))
    with Strategy(strategy) as own:
        return Window(loads(call_bytes(function, *before, own.handle, *after, data, len(data))))


def request_of(
    max_tokens: int | None,
    provider: str | None,
    examine: int | None,
    tokenizer: str | Tokenizer | None,
) -> dict[str, Any]:
    """What a window is asked for."""
    return {
        "max_tokens": max_tokens,
        "provider": provider,
        "examine": examine,
        "tokenizer": tokenizer,
    }


def build_context(
    messages: Sequence[Mapping[str, Any]] | bytes,
    max_tokens: int | None = None,
    *,
    strategy: Strategy | Pipeline | None = None,
    provider: str | None = None,
    examine: int | None = None,
    tokenizer: str | Tokenizer | None = None,
) -> Window:
    """Like Thread.context, on messages that are not stored; seqs count from 1.

    Raises:
        LimitError, InvalidError, NotFoundError, CallbackError: As for Thread.context.
    """
    data = messages if isinstance(messages, bytes) else dump(steps("messages", messages))
    return build(
        lib.memex_context_build_messages,
        (),
        strategy,
        request_of(max_tokens, provider, examine, tokenizer),
        (data, len(data)),
    )


__all__ = ["Strategy", "Window", "build_context", "register_strategy", "unregister_strategy"]
