"""Changes that are applied together or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._calls import call_bytes, call_handle
from ._lib import lib
from .errors import ClosedError
from .store import Store
from .threads import Threads

if TYPE_CHECKING:
    from types import TracebackType

_ENDED = "the transaction has ended; begin another"


class Transaction:
    """Changes of several threads that are applied together or not at all.

    What is written through ``threads``, and through what was opened there, is collected; reads see
    what is committed. The end of the ``with`` block commits; an exception in it forgets all.
    Threads that were opened on it end with it: open them on the store afterwards.

    Attributes:
        threads: The conversations of the store; writes through them are collected.
        results: After the commit, what each change in order would have returned.
    """

    __slots__ = ("_handle", "_view", "results", "threads")

    def __init__(self, store: Store) -> None:
        self._handle = call_handle(lib.memex_txn_begin, store.handle, None, 0)
        self._view = _View(lib.memex_txn_store(self._handle) or 0, store.url, store)
        self.threads = Threads(self._view)
        self.results: list[dict[str, Any]] = []

    def commit(self) -> list[dict[str, Any]]:
        """Applies all changes or none; see results for what it returns.

        Raises:
            ConflictError, ExistsError, NotFoundError: A change could not be made; none was.
            OutcomeUnknownError: The answer was lost.
            ClosedError: The transaction has ended.
        """
        from ._json import loads  # pylint: disable=import-outside-toplevel

        handle = self._end()
        if not handle:
            raise ClosedError(_ENDED)
        self.results = loads(call_bytes(lib.memex_txn_commit, handle))["results"]
        return self.results

    def rollback(self) -> None:
        """Forgets all changes. Doing it again, or after the commit, does nothing."""
        handle = self._end()
        if handle:
            lib.memex_txn_rollback(handle)

    def _end(self) -> int:
        handle, self._handle = self._handle, 0
        self._view.end()
        return handle

    def __enter__(self) -> Transaction:
        if not self._handle:
            raise ClosedError(_ENDED)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self.rollback()
        elif self._handle:
            self.commit()

    def __del__(self) -> None:
        if getattr(self, "_handle", 0):
            self.rollback()


def _keep(handle: int) -> Any:
    """A borrowed handle is not given back."""
    del handle


class _View(Store):
    """The transaction's view of its store: borrowed, so nothing to close."""

    __slots__ = ()

    _release = staticmethod(_keep)

    def close(self) -> None:
        """Does nothing: the view ends with its transaction."""

    def end(self) -> None:
        """The transaction has ended."""
        self._handle = None
