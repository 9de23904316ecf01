"""Core of memexllm 0.1 by its names.

``Message`` and ``Thread`` are memexllm's own: a thread is opened from a store, not made by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._checks import SEQ, integer, text, wrong_type
from .errors import InvalidError, NotFoundError
from .message import Message
from .thread import Thread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .context import Pipeline, Strategy
    from .store import Store


class HistoryManager:
    """A store and an algorithm under the method names of memexllm 0.1.

    Attributes:
        storage: The store.
        algorithm: How windows are chosen, None for the whole conversation.
    """

    def __init__(self, storage: Store, algorithm: Strategy | Pipeline | None = None) -> None:
        if storage is None:
            raise InvalidError("a HistoryManager wants a storage")
        if not hasattr(storage, "threads"):
            raise wrong_type("storage", "a store", storage)
        self.storage = storage
        self.algorithm = algorithm

    def create_thread(self, metadata: Mapping[str, Any] | None = None) -> Thread:
        """Creates a thread."""
        return self.storage.threads.create(metadata=metadata)

    def get_thread(self, thread_id: str) -> Thread:
        """Opens a thread; NotFoundError (ThreadNotFoundError) when there is none."""
        return self.storage.threads.open(text("thread_id", thread_id))

    def add_message(
        self,
        thread_id: str,
        content: Any,
        role: str,
        metadata: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Message:
        """Appends a message; fields are tool_calls, tool_call_id, function_call and name."""
        given = {name: value for name, value in fields.items() if value is not None}
        thread = self.get_thread(thread_id)
        options: Any = {"metadata": metadata} if metadata is not None else {}
        receipt = thread.append(
            {"role": text("role", role), "content": content, **given}, **options
        )
        return thread.message(receipt.seq)

    def get_messages(self, thread_id: str) -> list[Message]:
        """All messages of a thread."""
        return list(self.get_thread(thread_id).messages())

    def list_threads(self, limit: int = 100, offset: int = 0) -> list[Thread]:
        """Threads, by last activity and the newest first."""
        limit, offset = integer("limit", limit, (1, SEQ)), integer("offset", offset, (0, SEQ))
        return list(self.storage.threads.list(limit=limit + offset))[offset:]

    def delete_thread(self, thread_id: str) -> bool:
        """Deletes a thread; False when there is none."""
        try:
            self.storage.threads.delete(text("thread_id", thread_id))
        except NotFoundError:
            return False
        return True


__all__ = ["HistoryManager", "Message", "Thread"]
