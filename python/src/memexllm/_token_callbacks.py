"""Tokenizers of the caller's."""

from __future__ import annotations

from array import array
from ctypes import sizeof
from typing import TYPE_CHECKING, Any

from . import _callbacks, _ffi
from ._calls import call
from ._checks import utf8, wrong_type
from ._lib import lib

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


class CustomTokenizer:
    """A tokenizer of your own: count is needed, encode and decode are not.

    Methods may be called from several threads at once. What they raise is the __cause__ of the
    CallbackError that the caller gets.
    """

    def count(self, text: str) -> int:
        """Number of tokens of a text."""
        raise NotImplementedError

    def encode(self, text: str) -> Iterable[int]:
        """The ids of a text's tokens, 0 to 4294967295."""
        raise NotImplementedError

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens."""
        raise NotImplementedError


class _Counting(CustomTokenizer):  # pylint: disable=abstract-method
    """A function that counts."""

    def __init__(self, function: Callable[[str], int]) -> None:
        self._function = function

    def count(self, text: str) -> int:
        return self._function(text)


_tokenizers: _callbacks.Table[CustomTokenizer] = _callbacks.Table()


def _text(data: int | None, length: int) -> str:
    return _callbacks.text(data, length).decode("utf-8", "replace")


def _count(
    user_data: int | None, data: int | None, length: int, out: Any, reply: int | None
) -> int:
    try:
        number: Any = _tokenizers[user_data].count(_text(data, length))
        if not isinstance(number, int) or isinstance(number, bool):
            raise wrong_type("what count returns", "an integer", number)
        # One that is too large is cut off by ctypes: the library refuses what is negative.
        out[0] = number if 0 <= number < 2**63 else -1
        return _callbacks.OK
    except BaseException as error:  # pylint: disable=broad-exception-caught
        return _callbacks.failed(reply, error)


def _encode(user_data: int | None, data: int | None, length: int, reply: int | None) -> int:
    try:
        ids = array("I", _tokenizers[user_data].encode(_text(data, length))).tobytes()
        _callbacks.check(lib.memex_reply_data(reply, ids, len(ids)), "ids")
        return _callbacks.OK
    except BaseException as error:  # pylint: disable=broad-exception-caught
        return _callbacks.failed(reply, error)


def _decode(user_data: int | None, data: int | None, length: int, reply: int | None) -> int:
    try:
        ids = array("I")
        ids.frombytes(_callbacks.text(data, 4 * length))
        found = utf8("what decode returns", _tokenizers[user_data].decode(ids.tolist()))
        _callbacks.check(lib.memex_reply_data(reply, found, len(found)), "text")
        return _callbacks.OK
    except BaseException as error:  # pylint: disable=broad-exception-caught
        return _callbacks.failed(reply, error)


def _destroy(user_data: int | None) -> None:
    _tokenizers.remove(user_data)


# The library may call these as long as it is loaded, which is for ever.
_COUNT = _ffi.memex_tokenizer_functions_count_fn(_count)
_ENCODE = _ffi.memex_tokenizer_functions_encode_fn(_encode)
_DECODE = _ffi.memex_tokenizer_functions_decode_fn(_decode)
_DESTROY = _ffi.memex_destroy_fn(_destroy)


def _overrides(tokenizer: CustomTokenizer, name: str) -> bool:
    return getattr(type(tokenizer), name) is not getattr(CustomTokenizer, name)


def register_tokenizer(name: str, tokenizer: CustomTokenizer | Callable[[str], int]) -> None:
    """Registers a tokenizer of your own as an encoding.

    ``encoding=name`` opens it, and ``memexllm.open(url, tokenizer=name)`` counts messages with it.
    Counts are stored with messages under its name: a name stands for one way to count.

    Args:
        name: 1 to 63 lower-case letters, digits, +, - and _, beginning with a letter.
        tokenizer: A CustomTokenizer, or a function that counts the tokens of a text.

    Raises:
        ExistsError: The name is taken.
        InvalidError: The name is none.
    """
    if not isinstance(tokenizer, CustomTokenizer):
        if not callable(tokenizer):
            raise wrong_type("tokenizer", "a CustomTokenizer or a function", tokenizer)
        tokenizer = _Counting(tokenizer)
    functions = _ffi.memex_tokenizer_functions(
        sizeof(_ffi.memex_tokenizer_functions),
        0,
        _COUNT,
        _ENCODE if _overrides(tokenizer, "encode") else _ffi.memex_tokenizer_functions_encode_fn(),
        _DECODE if _overrides(tokenizer, "decode") else _ffi.memex_tokenizer_functions_decode_fn(),
    )
    encoded = utf8("name", name)
    number = _tokenizers.add(tokenizer)
    call(lib.memex_register_tokenizer, encoded, len(encoded), functions, number, _DESTROY)


def unregister_tokenizer(name: str) -> None:
    """Removes a tokenizer; what was opened with it goes on working.

    Raises:
        NotFoundError: There is none of that name.
    """
    _callbacks.unregister("tokenizer", name)
