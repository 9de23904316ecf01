"""The methods of chat.completions of a client that has a memory."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import UnsupportedError
from ._streams import AsyncManager, Manager, record
from ._waiting import away

if TYPE_CHECKING:
    from ._turns import History, Turn

_RAW = "x-stainless-raw-response"


class _Resource:  # pylint: disable=too-few-public-methods
    """The SDK's resource, with a create that knows the thread: what its stream helper calls."""

    def __init__(self, completions: Any, create: Any) -> None:
        self._completions = completions
        self.create = create

    def __getattr__(self, name: str) -> Any:
        return getattr(self._completions, name)


class Calls:
    """The methods of a client that has a history."""

    manager: type[Manager] = Manager

    def __init__(self, completions: Any, history: History) -> None:
        self._completions = completions
        self._history = history
        self._create = completions.create
        self._parse = getattr(completions, "parse", None)

    def create(self, *, messages: Any, thread_id: Any = None, **options: Any) -> Any:
        """Like chat.completions.create of the SDK, in a thread."""
        raw = _raw_response(options)
        turn = self._history.begin(thread_id, messages)
        result = self._create(messages=turn.messages, **options)
        return _kept(turn, result, bool(options.get("stream")), raw)

    def parse(self, *, messages: Any, thread_id: Any = None, **options: Any) -> Any:
        """Like chat.completions.parse of the SDK, in a thread."""
        raw = _raw_response(options)
        turn = self._history.begin(thread_id, messages)
        assert self._parse is not None  # nosec B101
        return _kept(turn, self._parse(messages=turn.messages, **options), False, raw)

    def stream(self, *, messages: Any, thread_id: Any = None, **options: Any) -> Any:
        """Like chat.completions.stream of the SDK, in a thread."""
        resource = _Resource(self._completions, partial(self.create, thread_id=thread_id))
        manager = type(self._completions).stream(resource, messages=messages, **options)
        return self.manager(manager)


class AsyncCalls(Calls):
    """The methods of an async client that has a history; the store is used in threads."""

    manager = AsyncManager

    # pylint: disable-next=invalid-overridden-method
    async def create(self, *, messages: Any, thread_id: Any = None, **options: Any) -> Any:
        """Like chat.completions.create of the SDK, in a thread."""
        raw = _raw_response(options)
        turn = await away(self._history.begin, thread_id, messages)
        result = await self._create(messages=turn.messages, **options)
        return await away(_kept, turn, result, bool(options.get("stream")), raw)

    # pylint: disable-next=invalid-overridden-method
    async def parse(self, *, messages: Any, thread_id: Any = None, **options: Any) -> Any:
        """Like chat.completions.parse of the SDK, in a thread."""
        raw = _raw_response(options)
        turn = await away(self._history.begin, thread_id, messages)
        assert self._parse is not None  # nosec B101
        result = await self._parse(messages=turn.messages, **options)
        return await away(_kept, turn, result, False, raw)


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
        record(turn, result)
        return result
    completion = result
    if raw:
        try:
            completion = result.parse()
        except Exception:  # pylint: disable=broad-except
            # The caller hears of it when they parse it, as from the SDK alone.
            return result
    turn.finish(completion)
    return result
