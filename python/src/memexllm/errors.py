"""What can go wrong, one class per status of the C interface.

::

    MemexError
    ├── InvalidError (ValueError)            an argument is wrong
    ├── NotFoundError (LookupError)          no such thread, message, backend, strategy or command
    ├── ExistsError                          the id is taken
    ├── ConflictError                        if_version, if_rev, expect_seq or a reused key
    ├── TimedOutError (TimeoutError)         waiting took longer than the timeout; retryable
    ├── CancelledError                       Store.interrupt ended the wait
    ├── ClosedError                          the store, session or transaction is closed
    ├── ForkedError (RuntimeError)           opened before fork(): open your own
    ├── HandleError (RuntimeError)           not a live handle: a defect of this package
    ├── ReentrantError (RuntimeError)        not allowed from inside this callback
    ├── DeniedError (PermissionError)        the principal may not do this
    ├── UnsupportedError (NotImplementedError)  this backend or build cannot do this
    ├── LimitError                           a limit was passed
    ├── OutOfMemoryError (MemoryError)       nothing was changed; retryable
    ├── StorageError                         the engine behind the store
    │   ├── BusyError                        somebody else holds what is needed; retryable
    │   ├── StorageIOError (OSError)         the system refused a read or a write
    │   ├── FullError (OSError)              the disk is full, nothing was changed; retryable
    │   ├── PoisonedError                    an earlier sync failed: close and open again
    │   ├── CorruptError                     stored bytes are damaged
    │   ├── TamperedError                    stored bytes were changed without the key
    │   ├── NewerFormatError                 written by a newer version
    │   ├── UnavailableError (ConnectionError)  a server or library is out of reach; retryable
    │   └── OutcomeUnknownError              repeat with the same idempotency key; retryable
    ├── ProviderError                        a model provider refused
    │   └── RateLimitedError                 a model provider asks to wait; retryable
    ├── CallbackError (RuntimeError)         a callback failed; __cause__ is what it raised
    └── InternalError (RuntimeError)         a defect in the library; please report it

The names of memexllm 0.1 stay as aliases where they mean the same: ``MemexLLMError``,
``ValidationError``, ``ConfigurationError``, ``ResourceNotFoundError``, ``ThreadNotFoundError``,
``MessageNotFoundError``, ``OperationError``, ``ConnectionError``, ``IntegrityError``, ``APIError``,
``OpenAIAPIError``, ``RateLimitError``.
"""

from __future__ import annotations

import builtins

TYPE_CHECKING = False  # for what typing costs, see __init__
if TYPE_CHECKING:
    from typing import Any, ClassVar


class MemexError(Exception):
    """Base of all errors of this package.

    Attributes:
        code: The status as a number, ``MEMEX_E_*`` of memex.h.
        details: What a program may want: ``path``, ``offset``, ``limit``, ``retry_after_us``, ...
        retryable: Whether the same call may succeed later.
    """

    CODE: ClassVar[int] = 0

    def __init__(
        self,
        message: str = "",
        *,
        details: dict[str, Any] | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = self.CODE
        self.details: dict[str, Any] = details or {}
        self.retryable = retryable


class InvalidError(MemexError, ValueError):
    """An argument is wrong; the message names it."""

    CODE = -1


class NotFoundError(MemexError, LookupError):
    """No such thread, message, backend, strategy or command."""

    CODE = -2


class ExistsError(MemexError):
    """The id is taken."""

    CODE = -3


class ConflictError(MemexError):
    """A precondition failed, or an idempotency key came with other bytes."""

    CODE = -4


class TimedOutError(MemexError, TimeoutError):
    """Waiting took longer than the timeout."""

    CODE = -6


class CancelledError(MemexError):
    """Store.interrupt ended the wait; nothing was changed."""

    CODE = -7


class ClosedError(MemexError):
    """The store, session or transaction is closed."""

    CODE = -8


class ForkedError(MemexError, RuntimeError):
    """The object was opened before fork(): the child opens its own."""

    CODE = -9


class HandleError(MemexError, RuntimeError):
    """Not a live handle of the type asked for."""

    CODE = -10


class ReentrantError(MemexError, RuntimeError):
    """Not allowed from inside this callback."""

    CODE = -11


class DeniedError(MemexError, PermissionError):
    """The principal may not do this."""

    CODE = -12


class UnsupportedError(MemexError, NotImplementedError):
    """The backend or this build cannot do this; the message says what can."""

    CODE = -13


class LimitError(MemexError):
    """A limit was passed; ``details["limit"]`` is its value."""

    CODE = -14


class OutOfMemoryError(MemexError, MemoryError):
    """Memory ran out; nothing was changed."""

    CODE = -15


class StorageError(MemexError):
    """The engine behind the store failed."""


class BusyError(StorageError):
    """Somebody else holds what is needed."""

    CODE = -5


class StorageIOError(StorageError, OSError):
    """The system refused a read or a write."""

    CODE = -16


class FullError(StorageError, OSError):
    """The disk is full; nothing was changed."""

    CODE = -17


class PoisonedError(StorageError):
    """An earlier write to stable storage failed: close the store and open it again."""

    CODE = -18


class CorruptError(StorageError):
    """Stored bytes are damaged."""

    CODE = -19


class TamperedError(StorageError):
    """Stored bytes were changed by somebody without the key."""

    CODE = -20


class NewerFormatError(StorageError):
    """Written by a newer version: nothing was touched."""

    CODE = -21


class UnavailableError(StorageError, builtins.ConnectionError):
    """A server or a shared library that is needed cannot be reached."""

    CODE = -22


class OutcomeUnknownError(StorageError):
    """A commit was sent and its answer lost: repeat the call with the same idempotency key."""

    CODE = -26


class ProviderError(MemexError):
    """A model provider refused."""

    CODE = -23


class RateLimitedError(ProviderError):
    """A model provider asks to wait."""

    CODE = -24


class CallbackError(MemexError, RuntimeError):
    """A callback failed; ``__cause__`` is what it raised, if it is Python's."""

    CODE = -25


class InternalError(MemexError, RuntimeError):
    """A defect in the library; please report it."""

    CODE = -27


def _by_code() -> dict[int, type[MemexError]]:
    found: dict[int, type[MemexError]] = {}
    left: list[type[MemexError]] = [MemexError]
    while left:
        kind = left.pop()
        left += kind.__subclasses__()
        if kind.CODE:
            found[kind.CODE] = kind
    return found


BY_CODE = _by_code()

# Names of memexllm 0.1.
MemexLLMError = MemexError
ValidationError = InvalidError
ConfigurationError = InvalidError
ResourceNotFoundError = NotFoundError
ThreadNotFoundError = NotFoundError
MessageNotFoundError = NotFoundError
OperationError = StorageError
IntegrityError = CorruptError
APIError = ProviderError
OpenAIAPIError = ProviderError
RateLimitError = RateLimitedError
ConnectionError = UnavailableError  # pylint: disable=redefined-builtin

__all__ = sorted(
    ["MemexError", "StorageError", *(kind.__name__ for kind in BY_CODE.values())]
)  # the aliases of 0.1 are imported by name
