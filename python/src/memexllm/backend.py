"""Storage backends of your own: an ordered key-value engine is all that it takes."""

from __future__ import annotations

from ctypes import c_void_p, sizeof
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _callbacks, _ffi
from ._calls import call
from ._checks import function, utf8, wrong_type
from ._lib import lib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class PreconditionFailed(Exception):
    """Raised by StorageBackend.commit: a precondition did not hold, nothing was written."""


class Write(NamedTuple):
    """One step of a commit.

    Attributes:
        kind: PUT, DELETE, or a precondition: REQUIRE_ABSENT, REQUIRE_PRESENT, REQUIRE_EQUAL.
        key: Up to 1,024 bytes.
        value: For PUT and REQUIRE_EQUAL; else b"".
    """

    kind: int
    key: bytes
    value: bytes


PUT = _ffi.MEMEX_WRITE_PUT
DELETE = _ffi.MEMEX_WRITE_DELETE
REQUIRE_ABSENT = _ffi.MEMEX_WRITE_REQUIRE_ABSENT
REQUIRE_PRESENT = _ffi.MEMEX_WRITE_REQUIRE_PRESENT
REQUIRE_EQUAL = _ffi.MEMEX_WRITE_REQUIRE_EQUAL


class StorageBackend:
    """An ordered key-value engine. Keys are compared bytewise, a prefix first, as bytes are.

    Methods may be called from several threads at once, commit from one at a time. What they raise
    is the __cause__ of the CallbackError that the caller gets. memexllm.testing checks a backend.
    """

    def get(self, key: bytes) -> bytes | None:
        """The value of a key, None when it is absent."""
        raise NotImplementedError

    def scan(
        self, start: bytes, end: bytes, *, descending: bool, limit: int
    ) -> Iterable[tuple[bytes, bytes]]:
        """Keys in [start, end) with their values, ascending or descending, at most limit."""
        raise NotImplementedError

    def commit(self, writes: Sequence[Write]) -> None:
        """Checks every REQUIRE_*, then applies every PUT and DELETE: all, durably, or none.

        Raises:
            PreconditionFailed: A precondition did not hold; nothing was written.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Called once, when the store is closed."""


if TYPE_CHECKING:
    Factory = Callable[[str], StorageBackend]

_factories: _callbacks.Table[Factory] = _callbacks.Table()
_backends: _callbacks.Table[StorageBackend] = _callbacks.Table()
_text = _callbacks.text


def _open(user_data: int | None, url: int | None, length: int, out: Any, reply: int | None) -> int:
    try:
        backend = _factories[user_data](_text(url, length).decode())
        out[0] = c_void_p(_backends.add(backend))
        return _callbacks.OK
    except BaseException as error:  # pylint: disable=broad-exception-caught
        return _callbacks.failed(reply, error)


def _close(instance: int | None, reply: int | None) -> int:
    try:
        backend = _backends.remove(instance)
        if backend is not None:
            backend.close()
        return _callbacks.OK
    except BaseException as error:  # pylint: disable=broad-exception-caught
        return _callbacks.failed(reply, error)


def _get(instance: int | None, key: int | None, length: int, reply: int | None) -> int:
    try:
        value = _backends[instance].get(_text(key, length))
        if value is not None:
            if not isinstance(value, bytes):
                raise wrong_type("what get returns", "bytes or None", value)
            _callbacks.check(lib.memex_reply_data(reply, value, len(value)), "value")
        return _callbacks.OK
    except BaseException as error:  # pylint: disable=broad-exception-caught
        return _callbacks.failed(reply, error)


def _scan(  # pylint: disable=too-many-arguments,too-many-positional-arguments
    instance: int | None,
    start: int | None,
    start_length: int,
    end: int | None,
    end_length: int,
    descending: int,
    limit: int,
    reply: int | None,
) -> int:
    try:
        found = _backends[instance].scan(
            _text(start, start_length),
            _text(end, end_length),
            descending=bool(descending),
            limit=limit,
        )
        add = lib.memex_reply_entry
        for key, value in found:
            _callbacks.check(add(reply, key, len(key), value, len(value)), "entry")
        return _callbacks.OK
    except BaseException as error:  # pylint: disable=broad-exception-caught
        return _callbacks.failed(reply, error)


def _commit(instance: int | None, writes: Any, count: int, reply: int | None) -> int:
    try:
        steps = [
            Write(
                step.kind,
                _text(step.key, step.key_len),
                _text(step.value, step.value_len),
            )
            for step in writes[:count]
        ]
        _backends[instance].commit(steps)
        return _callbacks.OK
    except PreconditionFailed:
        return _callbacks.CONFLICT
    except BaseException as error:  # pylint: disable=broad-exception-caught
        return _callbacks.failed(reply, error)


def _destroy(user_data: int | None) -> None:
    _factories.remove(user_data)


# The library may call these as long as it is loaded, which is for ever.
_VTABLE = _ffi.memex_backend(
    struct_size=sizeof(_ffi.memex_backend),
    open=_ffi.memex_backend_open_fn(_open),
    close=_ffi.memex_backend_close_fn(_close),
    get=_ffi.memex_backend_get_fn(_get),
    scan=_ffi.memex_backend_scan_fn(_scan),
    commit=_ffi.memex_backend_commit_fn(_commit),
)
_DESTROY = _ffi.memex_destroy_fn(_destroy)


def register_backend(name: str, factory: Factory) -> None:
    """Registers a backend; URLs ``NAME:...`` open it.

    Args:
        name: Lower-case letters, digits, + and -.
        factory: Makes a StorageBackend from a URL; called for each store that is opened.

    Raises:
        ExistsError: The name is taken.
        InvalidError: The name is none.
    """
    encoded = utf8("name", name)
    number = _factories.add(function("factory", factory))
    call(lib.memex_register_backend, encoded, len(encoded), _VTABLE, number, _DESTROY)


def unregister_backend(name: str) -> None:
    """Removes a backend; stores that are open go on working.

    Raises:
        NotFoundError: There is none of that name.
    """
    _callbacks.unregister("backend", name)


__all__ = [
    "DELETE",
    "PUT",
    "PreconditionFailed",
    "REQUIRE_ABSENT",
    "REQUIRE_EQUAL",
    "REQUIRE_PRESENT",
    "StorageBackend",
    "Write",
    "register_backend",
    "unregister_backend",
]
