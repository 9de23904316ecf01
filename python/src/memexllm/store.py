"""Stores: where conversations are kept."""

from __future__ import annotations

from ._calls import call, call_bytes, call_handle, fail, take_slot
from ._checks import text, utf8
from ._handle import Handle
from ._lib import lib, share_sqlite

TYPE_CHECKING = False  # for what typing costs, see __init__
if TYPE_CHECKING:
    from typing import Any, Literal

    from .threads import Threads
    from .tokens import Tokenizer
    from .transaction import Transaction


def open(  # pylint: disable=redefined-builtin
    url: str,
    *,
    durability: Literal["full", "normal"] | None = None,
    timeout: float | None = None,
    create: bool | None = None,
    read_only: bool | None = None,
    tokenizer: str | Tokenizer | None = None,
) -> Store:
    """Opens a store.

    Args:
        url: ``memory:`` (private), ``memory:name`` (shared in the process),
            ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``sqlite::memory:``,
            ``postgresql://user:password@host/database``, ``redis://host:6379/0``,
            ``redis+cluster://host:port,host:port``, or ``NAME:...`` of a registered backend.
        durability: "full" (default): an acknowledged append survives power loss; "normal":
            it survives the process.
        timeout: Longest wait for locks in seconds; 30 by default.
        create: False to open only what exists.
        read_only: True to refuse writes.
        tokenizer: What messages are counted with: the name of an encoding ("o200k_base"), of a
            model ("gpt-4o") or of a registered tokenizer, or a Tokenizer; "estimate" by default.

    Returns:
        The store; close it, or use it in a ``with`` block.

    Raises:
        InvalidError: The URL or an option is wrong.
        NotFoundError: There is none, and create is False.
        StorageError: The engine cannot open it.
    """
    from ._options import pack  # pylint: disable=import-outside-toplevel

    config = pack(
        {
            "url": text("url", url),
            "durability": durability,
            "timeout": timeout,
            "create": create,
            "read_only": read_only,
            "tokenizer": tokenizer,
            "interruptible": True,
        }
    )
    if url.startswith("sqlite:"):
        share_sqlite()
    _bridge_logging()
    return Store(call_handle(lib.memex_store_open, config, len(config)), url, tokenizer=tokenizer)


def _bridge_logging() -> None:
    """Sends the library's log to the logging module, if the application uses that."""
    import sys  # pylint: disable=import-outside-toplevel

    if "logging" in sys.modules:
        from . import _log  # pylint: disable=import-outside-toplevel

        _log.install()


class Store(Handle):
    """A set of conversations behind one URL, or a session's view of it.

    Safe to use from several threads at once. After ``os.fork`` the child opens its own.

    Attributes:
        url: What it was opened with.
        threads: Its conversations.
        tokenizer: What it was opened to count messages with; None for the estimate.
    """

    __slots__ = ("__weakref__", "_parent", "_threads", "tokenizer", "url")

    _release = staticmethod(lambda handle: lib.memex_store_close(handle, None))

    def __init__(
        self,
        handle: int,
        url: str,
        parent: Store | None = None,
        tokenizer: str | Tokenizer | None = None,
    ) -> None:
        super().__init__(handle)
        self.url = url
        self.tokenizer = tokenizer
        # A session must not outlive its store.
        self._parent = parent
        self._threads: Threads | None = None

    @property
    def handle(self) -> int:
        """The native handle; 0, which the library refuses, once the store is closed."""
        handle = self._handle
        if handle is None:
            from .errors import ClosedError  # pylint: disable=import-outside-toplevel

            raise ClosedError("the store is closed; open it again")
        return handle

    def _check_open(self) -> None:
        _ = self.handle

    @property
    def threads(self) -> Threads:
        """Its conversations."""
        if self._threads is None:
            from .threads import Threads  # pylint: disable=import-outside-toplevel

            self._threads = Threads(self)
        return self._threads

    def session(self, *, tenant: str | None = None, principal: str | None = None) -> Store:
        """Narrows the store to a tenant and a principal; closing the session leaves it open.

        Raises:
            DeniedError: A session cannot be widened to another tenant.
        """
        from ._options import pack  # pylint: disable=import-outside-toplevel

        options = pack({"tenant": tenant, "principal": principal})
        handle = call_handle(lib.memex_session_open, self.handle, options, len(options))
        return Store(handle, self.url, self, self.tokenizer)

    def transaction(self) -> Transaction:
        """Begins to collect changes that are applied together or not at all.

        Use it in a ``with`` block: its end commits, an exception forgets all changes.
        """
        from .transaction import Transaction  # pylint: disable=import-outside-toplevel

        return Transaction(self)

    def flush(self) -> None:
        """Makes everything acknowledged so far as durable as the engine can."""
        call(lib.memex_store_flush, self.handle)

    def interrupt(self) -> None:
        """Ends the waits of all calls that wait on this store now, with CancelledError."""
        call(lib.memex_store_interrupt, self.handle)

    def command(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Runs a command of the control plane by name: "stats", "check", "maintain", ...

        Raises:
            NotFoundError: There is no command of that name; memexllm.describe() lists them.
            DeniedError: Commands cover all tenants: run them on the store, not on a session.
        """
        from ._json import dump, loads  # pylint: disable=import-outside-toplevel

        encoded, data = utf8("name", name), dump(arguments) if arguments else b""
        answer = call_bytes(
            lib.memex_store_command, self.handle, encoded, len(encoded), data, len(data)
        )
        return dict(loads(answer)) if answer else {}

    def stats(self) -> dict[str, Any]:
        """Figures and capabilities of the engine: command("stats")."""
        return self.command("stats")

    def close(self) -> None:
        """Closes the store: waits for calls that run, wakes those that wait.

        Threads that were opened on it answer ClosedError from then on. Closing it again does
        nothing.

        Raises:
            ReentrantError: From inside one of its own callbacks; it stays open.
            StorageIOError, PoisonedError: What was deferred could not be written.
        """
        handle = self._handle
        if handle is None:
            return
        self._handle = None
        slot = take_slot()
        status = lib.memex_store_close(handle, slot.error)
        if status < 0:
            from .errors import ReentrantError  # pylint: disable=import-outside-toplevel

            if status == ReentrantError.CODE:
                self._handle = handle
            fail(status, slot)

    def __repr__(self) -> str:
        return f"<Store {_without_password(self.url)}{'' if self._handle else ' closed'}>"


def _without_password(url: str) -> str:
    url, question, query = url.partition("?")
    kept = [p if not p.startswith("password=") else "password=…" for p in query.split("&")]
    return _without_user_password(url) + question + "&".join(kept)


def _without_user_password(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    user, at, host = rest.rpartition("@")
    if not (mark and at):
        return url
    return f"{scheme}://{user.partition(':')[0]}:…@{host}"
