"""Strategies of the caller's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import _callbacks, _ffi
from ._calls import call
from ._checks import function as callable_
from ._checks import utf8
from ._json import dump, loads
from ._lib import lib

if TYPE_CHECKING:
    from collections.abc import Callable

    StrategyFunction = Callable[[dict[str, Any]], Iterable[int] | Mapping[str, Any]]

_functions: _callbacks.Table[StrategyFunction] = _callbacks.Table()


def _run(user_data: int | None, data: int | None, length: int, reply: int | None) -> int:
    try:
        answer = _functions[user_data](loads(_callbacks.text(data, length)))
        if not isinstance(answer, Mapping):
            answer = {"keep": [int(seq) for seq in answer]}
        packed = dump(answer)
        _callbacks.check(lib.memex_reply_data(reply, packed, len(packed)), "answer")
        return _callbacks.OK
    except BaseException as error:  # pylint: disable=broad-exception-caught
        return _callbacks.failed(reply, error)


def _destroy(user_data: int | None) -> None:
    _functions.remove(user_data)


# The library may call these as long as it is loaded, which is for ever.
_RUN = _ffi.memex_strategy_fn(_run)
_DESTROY = _ffi.memex_destroy_fn(_destroy)


def register_strategy(name: str, function: StrategyFunction) -> None:
    """Registers a strategy of your own as a step type: ``{"type": name, ...}``.

    Args:
        name: Type of the step.
        function: Is given ``{"config": <the step>, "max_tokens": n or absent, "messages": [{"seq",
            "role", "tokens", "pinned", "kept", "body"}, ...]}``, the oldest first. Returns the
            seqs to keep, or ``{"keep": [seq, ...], "reasons": {"<seq>": text}}``. It may be called
            from several threads at once. What it raises is the __cause__ of the CallbackError that
            the caller of ``context`` gets.

    Raises:
        ExistsError: The name is taken.
        InvalidError: The name is none.
    """
    encoded = utf8("name", name)
    number = _functions.add(callable_("function", function))
    call(lib.memex_register_strategy, encoded, len(encoded), _RUN, number, _DESTROY)


def unregister_strategy(name: str) -> None:
    """Removes a strategy; what was opened with it goes on working.

    Raises:
        NotFoundError: There is none of that name.
    """
    _callbacks.unregister("strategy", name)
