"""What must be given back to the library."""

from __future__ import annotations

TYPE_CHECKING = False  # for what typing costs, see __init__
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, TypeVar

    Self = TypeVar("Self", bound="Handle")


class Handle:
    """Something of the library's that must be given back.

    Closing is done by ``close``, by the end of a ``with`` block, and at last by the garbage
    collector; doing it again does nothing.
    """

    __slots__ = ("_handle",)

    _release: Any  # pylint: disable=declare-non-slot

    def __init__(self, handle: int) -> None:
        self._handle: int | None = handle

    def close(self) -> None:
        """Gives the handle back. What it stands for stays."""
        handle, self._handle = self._handle, None
        if handle:
            type(self)._release(handle)

    def _check_open(self) -> None:
        if not self._handle:
            from .errors import ClosedError  # pylint: disable=import-outside-toplevel

            raise ClosedError(f"the {type(self).__name__.lower()} is closed; open another")

    def __enter__(self: Self) -> Self:
        self._check_open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle:
            self._handle = None
            type(self)._release(handle)
