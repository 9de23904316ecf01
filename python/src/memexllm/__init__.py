"""The memory of LLM applications: conversations kept for good.

    import memexllm

    with memexllm.open("sqlite:///chat.db") as store:
        thread = store.threads.create(title="Order 17")
        thread.append("user", "Where is my order?")
        for message in thread.messages(last=50):
            print(message.seq, message.role, message.content)

What is not needed to keep a conversation (asyncio, integrations, strategies, ...) is imported when
it is first used, so that importing the package stays cheap.
"""

from __future__ import annotations

from importlib import import_module

from ._lib import lib as _native
from .errors import MemexError
from .store import Store, open  # pylint: disable=redefined-builtin

# Type checkers take this for true. Importing typing takes longer than importing this package.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from . import (
        aio,
        algorithms,
        core,
        errors,
        history,
        integrations,
        storage,
        strategies,
        testing,
        tokens,
    )
    from .backend import StorageBackend, register_backend, unregister_backend
    from .context import Strategy, Window, build_context, register_strategy, unregister_strategy
    from .info import ThreadInfo
    from .message import Message
    from .messages import Messages
    from .receipt import Receipt
    from .thread import Thread
    from .threads import Threads
    from .tokens import Tokenizer
    from .transaction import Transaction

__version__ = "0.2.0"

_MODULES = {
    name: name
    for name in (
        "aio",
        "algorithms",
        "core",
        "errors",
        "history",
        "integrations",
        "storage",
        "strategies",
        "testing",
        "tokens",
    )
}
_NAMES = {
    "Message": "message",
    "Messages": "messages",
    "Receipt": "receipt",
    "StorageBackend": "backend",
    "Strategy": "context",
    "Thread": "thread",
    "ThreadInfo": "info",
    "Threads": "threads",
    "Tokenizer": "tokens",
    "Transaction": "transaction",
    "Window": "context",
    "build_context": "context",
    "register_backend": "backend",
    "register_strategy": "context",
    "unregister_backend": "backend",
    "unregister_strategy": "context",
}


def native_version() -> str:
    """Version of the native library."""
    return (_native.memex_version() or b"").decode()


def describe() -> dict[str, Any]:
    """What is built in and registered: limits, backends, strategies, tokenizers, formats, ..."""
    from ._calls import call_bytes  # pylint: disable=import-outside-toplevel
    from ._json import loads  # pylint: disable=import-outside-toplevel

    return dict(loads(call_bytes(_native.memex_describe)))


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name in _NAMES:
        value = getattr(import_module(f".{_NAMES[name]}", __name__), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES, *_NAMES})


__all__ = [
    "MemexError",
    "Message",
    "Messages",
    "Receipt",
    "StorageBackend",
    "Store",
    "Strategy",
    "Thread",
    "ThreadInfo",
    "Threads",
    "Tokenizer",
    "Transaction",
    "Window",
    "aio",
    "algorithms",
    "build_context",
    "core",
    "describe",
    "errors",
    "history",
    "integrations",
    "native_version",
    "open",
    "register_backend",
    "register_strategy",
    "storage",
    "strategies",
    "testing",
    "tokens",
    "unregister_backend",
    "unregister_strategy",
]
