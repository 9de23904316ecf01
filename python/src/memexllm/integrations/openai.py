"""Memory for clients of the OpenAI SDK.

    import openai
    from memexllm.integrations.openai import with_history

    client = with_history(store=store)(openai.OpenAI())
    client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Hello"}], thread_id="alice"
    )

``chat.completions.create``, ``parse`` and ``stream`` take ``thread_id``: the conversation, created
when there is none of that id. ``messages`` is the new turn. The input is stored before the call,
the answer after it, and the model sees the conversation.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import InvalidError, UnsupportedError
from ._deltas import Completion
from ._turns import History, Turn, plain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from ..aio import AsyncStore
    from ..context import Pipeline, Strategy
    from ..core import HistoryManager
    from ..store import Store

Client = TypeVar("Client")
_MARK = "_memexllm_history"
_RAW = "x-stainless-raw-response"


def with_history(
    store: Store | AsyncStore | None = None,
    algorithm: Strategy | Pipeline | None = None,
    history_manager: HistoryManager | None = None,
    *,
    storage: Store | None = None,
    max_tokens: int | None = None,
    strategy: Strategy | Pipeline | None = None,
) -> Callable[[Client], Client]:
    """Gives a client of the OpenAI SDK, sync or async, a memory.

    Args:
        store: Where conversations are kept.
        algorithm: The name of strategy in memexllm 0.1.
        history_manager: Of memexllm.core: its storage and algorithm.
        storage: The name of store in memexllm 0.1.
        max_tokens: What a request may hold at most. Without it, and without a strategy, the model
            sees the whole conversation.
        strategy: How what the model sees is chosen, see memexllm.strategies.

    Returns:
        A function that changes a client and returns it.

    Raises:
        InvalidError: No store was given.
    """
    where: Any = store or storage or (history_manager.storage if history_manager else None)
    if where is None:
        raise InvalidError("with_history wants a store: with_history(store=memexllm.open(url))")
    how = strategy or algorithm or (history_manager.algorithm if history_manager else None)
    history = History(getattr(where, "sync", where), max_tokens, how)

    def wrap(client: Client) -> Client:
        completions = getattr(getattr(client, "chat", None), "completions", None)
        if completions is None:
            raise InvalidError("with_history wants a client like openai.OpenAI()")
        if hasattr(completions, _MARK):
            raise InvalidError("this client has a history already: make another client")
        _install(completions, history)
        return client

    return wrap


def _install(completions: Any, history: History) -> None:
    import inspect  # pylint: disable=import-outside-toplevel

    is_async = inspect.iscoroutinefunction(inspect.unwrap(completions.create))
    kind = _AsyncCalls if is_async else _Calls
    calls = kind(completions, history)
    for cached in ("with_raw_response", "with_streaming_response"):
        # They keep the method that was there when they were made.
        vars(completions).pop(cached, None)
    completions.create = calls.create
    if hasattr(completions, "parse"):
        completions.parse = calls.parse
    if hasattr(completions, "stream"):
        completions.stream = calls.stream
    setattr(completions, _MARK, history)


class _Resource:  # pylint: disable=too-few-public-methods
    """The SDK's resource, with a create that knows the thread: what its stream helper calls."""

    def __init__(self, completions: Any, create: Any) -> None:
        self._completions = completions
        self.create = create

    def __getattr__(self, name: str) -> Any:
        return getattr(self._completions, name)


class _Calls:
    """The methods of a client that has a history."""

    def __init__(self, completions: Any, history: History) -> None:
        self._completions = completions
        self._history = history
        self._create = completions.create
        self._parse = getattr(completions, "parse", None)

    def create(self, *, messages: Any, thread_id: str | None = None, **options: Any) -> Any:
        """Like chat.completions.create of the SDK, in a thread."""
        raw = _raw_response(options)
        turn = self._history.begin(thread_id, messages)
        result = self._create(messages=turn.messages, **options)
        return _kept(turn, result, bool(options.get("stream")), raw)

    def parse(self, *, messages: Any, thread_id: str | None = None, **options: Any) -> Any:
        """Like chat.completions.parse of the SDK, in a thread."""
        raw = _raw_response(options)
        turn = self._history.begin(thread_id, messages)
        assert self._parse is not None  # nosec B101
        return _kept(turn, self._parse(messages=turn.messages, **options), False, raw)

    def stream(self, *, messages: Any, thread_id: str | None = None, **options: Any) -> Any:
        """Like chat.completions.stream of the SDK, in a thread."""
        resource = _Resource(self._completions, partial(self.create, thread_id=thread_id))
        return type(self._completions).stream(resource, messages=messages, **options)


class _AsyncCalls(_Calls):
    """The methods of an async client that has a history; the store is used in threads."""

    # pylint: disable-next=invalid-overridden-method
    async def create(self, *, messages: Any, thread_id: str | None = None, **options: Any) -> Any:
        """Like chat.completions.create of the SDK, in a thread."""
        raw = _raw_response(options)
        turn = await _away(self._history.begin, thread_id, messages)
        result = await self._create(messages=turn.messages, **options)
        return await _away(_kept, turn, result, bool(options.get("stream")), raw)

    # pylint: disable-next=invalid-overridden-method
    async def parse(self, *, messages: Any, thread_id: str | None = None, **options: Any) -> Any:
        """Like chat.completions.parse of the SDK, in a thread."""
        raw = _raw_response(options)
        turn = await _away(self._history.begin, thread_id, messages)
        assert self._parse is not None  # nosec B101
        result = await self._parse(messages=turn.messages, **options)
        return await _away(_kept, turn, result, False, raw)


async def _away(function: Callable[..., Any], *arguments: Any) -> Any:
    """Runs what blocks in a thread; once begun it finishes, also when the caller is cancelled."""
    import asyncio  # pylint: disable=import-outside-toplevel

    return await asyncio.shield(asyncio.to_thread(function, *arguments))


def _raw_response(options: dict[str, Any]) -> bool:
    """Whether the SDK was asked for the raw response; refuses what could not be kept."""
    headers = options.get("extra_headers") or {}
    wanted = {str(name).lower(): value for name, value in headers.items()}.get(_RAW)
    if wanted is not None and (wanted == "stream" or options.get("stream")):
        raise UnsupportedError(
            "with_streaming_response, and raw responses of streams, cannot be kept: "
            "use create(stream=True), stream() or with_raw_response without stream"
        )
    return wanted is not None


def _kept(turn: Turn, result: Any, stream: bool, raw: bool) -> Any:
    """Stores an answer, or arranges that a stream is stored as it is read."""
    if stream:
        _record(turn, result)
        return result
    completion = result.parse() if raw else result
    turn.finish(completion)
    return result


def _record(turn: Turn, stream: Any) -> None:
    """Makes a stream of the SDK store what it brings, when it ends or is left."""
    recorder = _Recorder(turn)
    pieces = stream._iterator  # pylint: disable=protected-access
    close = stream.close
    if hasattr(pieces, "__anext__"):

        async def close_async() -> None:
            recorder.leave()
            await close()

        stream._iterator = recorder.read_async(pieces)  # pylint: disable=protected-access
        stream.close = close_async
    else:

        def close_sync() -> None:
            recorder.leave()
            close()

        stream._iterator = recorder.read(pieces)  # pylint: disable=protected-access
        stream.close = close_sync


class _Recorder:
    """Puts a stream's pieces together and stores them once."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._completion = Completion()
        self._stored = False

    def _store(self) -> None:
        if not self._stored:
            self._stored = True
            self._turn.finish_stream(self._completion)

    def leave(self) -> None:
        """The reader goes: what came so far is what there is."""
        self._store()

    def read(self, pieces: Iterator[Any]) -> Iterator[Any]:
        """Yields the stream's chunks."""
        try:
            for chunk in pieces:
                self._completion.add(plain(chunk))
                yield chunk
        finally:
            self._store()

    async def read_async(self, pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Yields the stream's chunks."""
        try:
            async for chunk in pieces:
                self._completion.add(plain(chunk))
                yield chunk
            await _away(self._store)
        finally:
            # Cut off: stored before anything else can happen, in a thread or not.
            self._store()


__all__ = ["with_history"]
