"""What is read of a thread at once: bodies, windows, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _pages
from ._calls import call_number
from ._checks import integer
from ._lib import lib
from ._thread_document import ThreadDocument

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .context import Strategy, Window
    from .tokens import Tokenizer


class ThreadReading(ThreadDocument):
    """What Thread reads at once; see there."""

    __slots__ = ()

    def bodies(self, last: int | None = None) -> list[dict[str, Any]]:
        """The messages as the dicts that were given: the fastest way to read them.

        Args:
            last: Only so many, counted from the end.
        """
        if last is None:
            query = b'{"page_size":500,"layout":"packed"}'
            return _pages.read_bodies(self._handle or self.handle, query)
        query = b'{"last":%d,"page_size":500,"layout":"packed"}' % integer("last", last)
        return _pages.read_bodies(self._handle or self.handle, query)

    def count(self) -> int:
        """How many messages it has, deleted ones not counted."""
        return call_number(lib.memex_thread_count, self.handle)

    def context(
        self,
        max_tokens: int | None = None,
        *,
        strategy: Strategy | Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        provider: str | None = None,
        examine: int | None = None,
        tokenizer: str | Tokenizer | None = None,
    ) -> Window:
        """Chooses what the model sees; what it returns is a request that the provider accepts.

        Args:
            max_tokens: What the window may hold at most.
            strategy: One step or a list of steps, see memexllm.strategies, or a Strategy. By
                default system messages are kept and the rest is cut to max_tokens.
            provider: Whose rules the window obeys: "openai.chat".
            examine: How many messages to look at, counted from the end.
            tokenizer: What tokens are counted with, see memexllm.open; by default what the store
                was opened with.

        Raises:
            LimitError: What must stay passes max_tokens.
            InvalidError, NotFoundError: The strategy is wrong or not registered.
            CallbackError: A strategy or a tokenizer of the caller's failed.
        """
        from .context import build, request_of  # pylint: disable=import-outside-toplevel

        return build(
            lib.memex_context_build,
            (self.handle,),
            strategy,
            request_of(max_tokens, provider, examine, tokenizer),
        )

    def __len__(self) -> int:
        return self.count()

    def __bool__(self) -> bool:
        # A thread without messages is a thread.
        return True
