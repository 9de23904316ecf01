"""Runs calls into the library off the event loop."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from . import errors
from ._checks import SEQ, integer

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import ParamSpec

    from .store import Store

    P = ParamSpec("P")

Result = TypeVar("Result")


class _Work:  # pylint: disable=too-few-public-methods
    """One call, on the worker's side."""

    def __init__(self, runner: Runner, call: Callable[[], Any]) -> None:
        self._runner = runner
        self._call = call
        self.is_cancelled = False

    def __call__(self) -> Any:
        while True:
            before = self._runner.interruptions
            try:
                return self._call()
            except errors.CancelledError:
                # Interrupted while it waited, so nothing was done. When that was meant for
                # another task's call, this one begins again.
                if self.is_cancelled or self._runner.interruptions != before:
                    raise


class Runner:
    """A bounded pool of threads for one store.

    Attributes:
        interruptions: How often the caller asked to end all waits.
    """

    def __init__(self, workers: int) -> None:
        self._pool = ThreadPoolExecutor(
            integer("workers", workers, (1, SEQ)), thread_name_prefix="memexllm"
        )
        self.store: Store | None = None
        self.interruptions = 0

    async def run(
        self, function: Callable[P, Result], *arguments: P.args, **options: P.kwargs
    ) -> Result:
        """Runs a call in the pool.

        When the task is cancelled, a call that has not begun never does; one that waits for a
        lock is interrupted; one that runs is waited for. So what it does is done once or not at
        all, and nothing goes on behind the caller's back.
        """
        work = _Work(self, lambda: function(*arguments, **options))
        try:
            future = self._pool.submit(work)
        except RuntimeError:
            raise errors.ClosedError("the store is closed; open it again") from None
        waiting = asyncio.wrap_future(future)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            if future.cancel():
                raise
            work.is_cancelled = True
            pause = 0.05
            while not future.done():
                # Again and again, for the call may begin to wait only now.
                self._interrupt()
                try:
                    await asyncio.wait([waiting], timeout=pause)
                except asyncio.CancelledError:
                    continue
                pause = min(2 * pause, 1.0)
            if not waiting.cancelled() and waiting.done():
                # Its error, if any, has no one to go to.
                waiting.exception()
            raise

    def _interrupt(self) -> None:
        try:
            if self.store is not None:
                self.store.interrupt()
        except errors.MemexError:
            # Closed already: then nothing waits.
            pass

    def shut_down(self) -> None:
        """Lets the threads go when they are done."""
        self._pool.shutdown(wait=False)
