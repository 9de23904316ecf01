"""What the asyncio classes have in common: an object of the library and a pool to use it in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from typing_extensions import ParamSpec

    from ._aio_runner import Runner

    P = ParamSpec("P")

Value = TypeVar("Value")
Result = TypeVar("Result")


class Wrapped(Generic[Value]):
    """The asyncio face of an object.

    Attributes:
        sync: The object, for code without asyncio.
    """

    __slots__ = ("_runner", "sync")

    def __init__(self, runner: Runner, value: Value) -> None:
        self._runner = runner
        self.sync = value

    def _run(
        self, function: Callable[P, Result], *arguments: P.args, **options: P.kwargs
    ) -> Awaitable[Result]:
        return self._runner.run(function, *arguments, **options)

    def __eq__(self, other: object) -> bool:
        return self.sync == other.sync if isinstance(other, Wrapped) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.sync)

    def __repr__(self) -> str:
        return f"<Async{repr(self.sync)[1:]}"


def passed(kind: type[Any], name: str, result: type[Result]) -> Result:
    """A property of the same name and meaning as the object's.

    For type checkers it is a value of type result.
    """
    del result
    doc = getattr(getattr(kind, name), "__doc__", None)
    return cast("Result", property(lambda self: getattr(self.sync, name), doc=doc))
