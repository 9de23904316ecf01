"""The class of tokenizers."""

from __future__ import annotations

import os
from array import array
from ctypes import POINTER, c_int64, cast
from typing import TYPE_CHECKING, Any

from ._calls import call_bytes, call_handle, call_number, fail, put_slot, take_slot
from ._checks import INT64, integer, mapping, steps, text, utf8, wrong_type
from ._handle import Handle
from ._json import dump
from ._lib import lib
from .errors import ClosedError, InvalidError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Literal

    Special = Literal["text", "tokens"]

_NUMBERS = POINTER(c_int64)
_COUNT = lib.memex_tokenizer_count


class Tokenizer(Handle):
    """Turns text into tokens. Safe to use from several threads.

    Close it, use it in a ``with`` block, or leave it to the garbage collector: it holds little
    but a handle. Open another one after ``os.fork``.

    Attributes:
        name: The encoding: "o200k_base" for the model "gpt-4o".
        options: What it was opened with.
    """

    __slots__ = ("name", "options")

    _release = staticmethod(lib.memex_tokenizer_free)

    def __init__(
        self,
        *,
        encoding: str | None = None,
        model: str | None = None,
        path: str | os.PathLike[str] | None = None,
        pattern: str | None = None,
        special: Special = "text",
    ) -> None:
        """Opens a tokenizer by exactly one of an encoding, a model and a file.

        Args:
            encoding: Name of an encoding or of a registered tokenizer.
            model: Name of a model; one whose maker publishes no tokenizer is an error.
            path: A .tiktoken file, or a tokenizer.json of Hugging Face.
            pattern: For a .tiktoken file, the encoding whose way to split text it has.
            special: "text" (default): what looks like a special token is text; "tokens": it is
                that token.

        Raises:
            InvalidError: Not exactly one was given, or an option is wrong.
            NotFoundError: There is none of that name; the message names the choices.
            UnsupportedError: The encoding of the model is not built in.
        """
        given = {
            "encoding": encoding,
            "model": model,
            "path": os.fspath(path) if path is not None else None,
            "pattern": pattern,
            "special": special,
        }
        self.options = {key: text(key, value) for key, value in given.items() if value is not None}
        data = dump(self.options)
        super().__init__(call_handle(lib.memex_tokenizer_open, data, len(data)))
        self.name = (lib.memex_tokenizer_name(self._handle) or b"").decode()

    @property
    def handle(self) -> int:
        """The native handle.

        Raises:
            ClosedError: The tokenizer is closed.
        """
        handle = self._handle
        if handle is None:
            raise ClosedError("the tokenizer is closed; open another")
        return handle

    def count(self, text: str) -> int:  # pylint: disable=redefined-outer-name
        """Number of tokens of a text.

        Raises:
            CallbackError: A registered tokenizer failed.
        """
        try:
            data = text.encode()
        except (AttributeError, UnicodeEncodeError):
            data = utf8("text", text)
        slot = take_slot()
        status = _COUNT(self.handle, data, len(data), slot.number, slot.error)
        if status < 0:
            fail(status, slot)
        number = slot.number.value
        put_slot(slot)
        return number

    def count_batch(self, texts: Iterable[str]) -> list[int]:
        """Number of tokens of each of several texts: much faster than one call each.

        Raises:
            CallbackError: A registered tokenizer failed.
        """
        joined, lengths = _joined(texts)
        counts = array("q", bytes(8 * len(lengths)))
        call_status(
            lib.memex_tokenizer_count_batch,
            self.handle,
            joined,
            len(joined),
            lengths.buffer_info()[0],
            len(lengths),
            cast(counts.buffer_info()[0], _NUMBERS),
        )
        return counts.tolist()

    def count_messages(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Mapping[str, Any]] | None = None,
        response_format: Mapping[str, Any] | None = None,
    ) -> int:
        """Number of input tokens that a chat model bills for a request.

        Args:
            messages: As they are sent to the provider: dicts with role and content.
            tools: Definitions of tools, as they are sent.
            response_format: As it is sent.

        Raises:
            InvalidError: The request is none.
            CallbackError: A registered tokenizer failed.
        """
        request: dict[str, Any] = {"messages": steps("messages", messages)}
        if tools is not None:
            request["tools"] = steps("tools", tools)
        if response_format is not None:
            request["response_format"] = mapping("response_format", response_format)
        data = dump(request)
        return call_number(lib.memex_tokenizer_count_messages, self.handle, data, len(data))

    def encode(self, text: str) -> list[int]:  # pylint: disable=redefined-outer-name
        """The ids of a text's tokens.

        Raises:
            UnsupportedError: The tokenizer only counts.
            CallbackError: A registered tokenizer failed.
        """
        data = utf8("text", text)
        ids = array("I")
        ids.frombytes(call_bytes(lib.memex_tokenizer_encode, self.handle, data, len(data)))
        return ids.tolist()

    def decode_bytes(self, ids: Iterable[int]) -> bytes:
        """The bytes of tokens; where they begin or end within a character, so do the bytes.

        Raises:
            InvalidError: An id is no token; details have its index.
            UnsupportedError: The tokenizer only counts.
            CallbackError: A registered tokenizer failed.
        """
        numbers = _ids(ids)
        place = numbers.buffer_info()[0]
        return call_bytes(lib.memex_tokenizer_decode, self.handle, place, len(numbers))

    def decode(self, ids: Iterable[int]) -> str:
        """The text of tokens; a part of a character becomes U+FFFD.

        Raises:
            InvalidError, UnsupportedError, CallbackError: As decode_bytes.
        """
        return self.decode_bytes(ids).decode("utf-8", "replace")

    def truncate(self, text: str, max_tokens: int) -> str:  # pylint: disable=redefined-outer-name
        """The beginning of a text that has at most a number of tokens; breaks no character.

        Raises:
            InvalidError: max_tokens is negative.
            CallbackError: A registered tokenizer failed.
        """
        data = utf8("text", text)
        limit = integer("max_tokens", max_tokens, (0, INT64))
        tokens = c_int64()
        length = call_number_with(
            lib.memex_tokenizer_truncate, tokens, self.handle, data, len(data), limit
        )
        if length == len(data):
            return text
        return data[:length].decode("utf-8", "surrogatepass")

    def __repr__(self) -> str:
        return f"<Tokenizer {self.name}{'' if self._handle else ' closed'}>"


def call_status(function: Any, *arguments: Any) -> None:
    """Calls a function whose last parameter is an error."""
    slot = take_slot()
    status = function(*arguments, slot.error)
    if status < 0:
        fail(status, slot)
    put_slot(slot)


def call_number_with(function: Any, second: Any, *arguments: Any) -> int:
    """Calls a function whose last parameters are two out numbers and an error; the first number."""
    slot = take_slot()
    status = function(*arguments, slot.number, second, slot.error)
    if status < 0:
        fail(status, slot)
    number = slot.number.value
    put_slot(slot)
    return number


def _joined(texts: Iterable[str]) -> tuple[bytes, array[int]]:
    """The texts as UTF-8, one behind the other, and the length of each in bytes."""
    if isinstance(texts, (str, bytes, bytearray)):
        raise wrong_type("texts", "texts in a list or another iterable", texts)
    try:
        parts = texts if isinstance(texts, (list, tuple)) else list(texts)
    except TypeError:
        raise wrong_type("texts", "texts in a list or another iterable", texts) from None
    try:
        joined = "".join(parts).encode()
    except (TypeError, UnicodeEncodeError):
        raw = [utf8(f"texts[{place}]", part) for place, part in enumerate(parts)]
        return b"".join(raw), array("Q", map(len, raw))
    lengths = array("Q", map(len, parts))
    if sum(lengths) == len(joined):  # all of it is ASCII
        return joined, lengths
    return joined, array("Q", [len(part.encode()) for part in parts])


def _ids(ids: Iterable[int]) -> array[int]:
    try:
        return array("I", ids)
    except OverflowError:
        raise InvalidError("ids must be numbers from 0 to 4294967295") from None
    except TypeError:
        raise wrong_type("ids", "a list of numbers", ids) from None
