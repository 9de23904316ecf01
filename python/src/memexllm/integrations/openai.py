"""Memory for clients of the OpenAI SDK.

    import openai
    from memexllm.integrations.openai import with_history

    client = with_history(store=store)(openai.OpenAI())
    client.chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": "Hello"}], thread_id="alice"
    )

``chat.completions.create``, ``parse`` and ``stream`` take ``thread_id``: the conversation, as a
Thread or its id, created when there is none of that id. ``messages`` is the new turn. The input is
stored before the call, the answer after it, and the model sees the conversation.
docs/guides/openai.md has the details.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .._checks import integer, wrong_type
from ..context import Strategy
from ..core import HistoryManager
from ..errors import InvalidError
from ..store import Store
from ._calls import AsyncCalls, Calls
from ._turns import History

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..aio import AsyncStore
    from ..context import Pipeline

Client = TypeVar("Client")
_MARK = "_memexllm_history"
# They keep the methods that were there when they were made.
_VIEWS = ("with_raw_response", "with_streaming_response")


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

    A call whose new turn does not fit into max_tokens or the strategy, or would be refused by the
    API, is refused before it is sent, and nothing of it is stored: LimitError, InvalidError.

    Args:
        store: Where conversations are kept.
        algorithm: The name of strategy in memexllm 0.1.
        history_manager: Of memexllm.core: its storage and algorithm.
        storage: The name of store in memexllm 0.1.
        max_tokens: What a request may hold at most. Without it, and without a strategy, the model
            sees the whole conversation.
        strategy: How what the model sees is chosen, see memexllm.strategies.

    Returns:
        A function that changes a client and returns it. Copies that the client makes of itself
        (copy, with_options) have the memory, too.

    Raises:
        InvalidError: No store was given, or a number is out of range, or a step is wrong.
        TypeError: store, max_tokens or strategy is of another type.
        NotFoundError: The strategy has a step that nobody registered.
    """
    if history_manager is not None and not isinstance(history_manager, HistoryManager):
        raise wrong_type("history_manager", "a HistoryManager", history_manager)
    where = _first(store, storage, getattr(history_manager, "storage", None))
    if where is None:
        raise InvalidError("with_history wants a store: with_history(store=memexllm.open(url))")
    if not isinstance(getattr(where, "sync", where), Store):
        raise wrong_type("store", "what memexllm.open(url) gives", where)
    if max_tokens is not None:
        max_tokens = integer("max_tokens", max_tokens)
    how = _first(strategy, algorithm, getattr(history_manager, "algorithm", None))
    _check_strategy(how)
    history = History(getattr(where, "sync", where), max_tokens, how)

    def wrap(client: Client) -> Client:
        completions = getattr(getattr(client, "chat", None), "completions", None)
        if completions is None:
            raise InvalidError("with_history wants a client like openai.OpenAI()")
        if hasattr(completions, _MARK):
            raise InvalidError("this client has a history already: make another client")
        _install(client, history)
        return client

    return wrap


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _check_strategy(strategy: Any) -> None:
    """Raises for what no window could be built with, instead of at the first call."""
    if isinstance(strategy, Strategy):
        _ = strategy.handle
    elif isinstance(strategy, Mapping) or (
        isinstance(strategy, Sequence) and not isinstance(strategy, (str, bytes))
    ):
        Strategy(strategy).close()
    elif strategy is not None:
        raise wrong_type("strategy", "a step or a list of steps (memexllm.strategies)", strategy)


def _install(client: Any, history: History) -> None:
    """Gives all ways to chat.completions of a client the memory."""
    _forget_views(client)
    _forget_views(client.chat)
    _install_calls(client.chat.completions, history)
    if "beta" in vars(client):
        _install_beta(client.beta, history)
    elif hasattr(getattr(type(client), "beta", None), "func"):
        vars(client)["beta"] = _Beta(client, history)
    for name in ("copy", "with_options"):
        if hasattr(client, name):
            setattr(client, name, _copier(getattr(client, name), history))


def _install_calls(completions: Any, history: History) -> None:
    import inspect  # pylint: disable=import-outside-toplevel

    is_async = inspect.iscoroutinefunction(inspect.unwrap(completions.create))
    calls = (AsyncCalls if is_async else Calls)(completions, history)
    _forget_views(completions)
    for name in ("create", "parse", "stream"):
        if hasattr(completions, name):
            setattr(completions, name, getattr(calls, name))
    setattr(completions, _MARK, history)


def _install_beta(beta: Any, history: History) -> None:
    chat: Any = getattr(beta, "chat", None)
    if hasattr(chat, "completions"):
        _forget_views(beta)
        _forget_views(chat)
        _install_calls(chat.completions, history)


def _forget_views(resource: Any) -> None:
    for name in _VIEWS:
        vars(resource).pop(name, None)


def _copier(copy: Callable[..., Any], history: History) -> Callable[..., Any]:
    @functools.wraps(copy)
    def copy_with_history(*arguments: Any, **options: Any) -> Any:
        made = copy(*arguments, **options)
        _install(made, history)
        return made

    return copy_with_history


class _Beta:  # pylint: disable=too-few-public-methods
    """Stands for client.beta until it is used: to load it takes the SDK half a second."""

    def __init__(self, client: Any, history: History) -> None:
        self._client = client
        self._history = history

    def __getattr__(self, name: str) -> Any:
        client = self._client
        if vars(client).get("beta") is self:
            beta = type(client).beta.func(client)
            _install_beta(beta, self._history)
            vars(client)["beta"] = beta
        return getattr(client.beta, name)


__all__ = ["with_history"]
