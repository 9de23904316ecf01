"""Exact token counts: of texts, of many at once, of whole requests.

    from memexllm import tokens

    tokens.count("Where is my order?", model="gpt-4o")          # 5
    tokens.count_batch(texts, encoding="o200k_base")            # [5, 17, ...]
    tokens.truncate(text, 1000, model="gpt-4o")

Nothing is loaded: the vocabularies are part of the library. Each function takes exactly one of
``model``, the name of a model, and ``encoding``: "o200k_base", "o200k_harmony", "cl100k_base",
"p50k_base", an estimate ("estimate": a token for every four bytes; ESTIMATES has the others), or
the name of a registered tokenizer.

What looks like a special token, such as ``<|endoftext|>``, is text like any other unless a
function is given ``special="tokens"``: then it is that token.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ._token_callbacks import CustomTokenizer, register_tokenizer, unregister_tokenizer
from ._tokenizer import Tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ._tokenizer import Special

# Tokenizers by what they were opened with. Those of a parent process are of no use in a child.
_opened: dict[tuple[str | None, str | None, str], Tokenizer] = {}
_OPENED_MAXIMUM = 64
os.register_at_fork(after_in_child=_opened.clear)


def _tokenizer(model: str | None, encoding: str | None, special: Special = "text") -> Tokenizer:
    """The one that stands for these options, opened when it is first asked for."""
    key = (model, encoding, special)
    try:
        return _opened[key]
    except (KeyError, TypeError):
        found = Tokenizer(model=model, encoding=encoding, special=special)
    # A name may be registered again for another tokenizer.
    if found.options.get("encoding") is None or found.name in BUILT_IN:
        while len(_opened) >= _OPENED_MAXIMUM:
            _opened.pop(next(iter(_opened)), None)
        _opened[key] = found
    return found


ESTIMATES = ("estimate", "estimate:claude", "estimate:claude-4.7", "estimate:gemini")
"""Names of the estimates: a token for every four bytes; what models without a published tokenizer
were seen to bill."""

BUILT_IN = ("o200k_base", "o200k_harmony", "cl100k_base", "p50k_base", *ESTIMATES)
"""Names of the built-in encodings."""


def count(  # pylint: disable=redefined-outer-name
    text: str, *, model: str | None = None, encoding: str | None = None, special: Special = "text"
) -> int:
    """Number of tokens of a text.

    Raises:
        NotFoundError, UnsupportedError, InvalidError: There is no such tokenizer, see Tokenizer.
        CallbackError: A registered tokenizer failed.
    """
    return _tokenizer(model, encoding, special).count(text)


def count_batch(
    texts: Iterable[str],
    *,
    model: str | None = None,
    encoding: str | None = None,
    special: Special = "text",
) -> list[int]:
    """Number of tokens of each of several texts: much faster than one call each.

    Raises:
        NotFoundError, UnsupportedError, InvalidError: There is no such tokenizer, see Tokenizer.
        CallbackError: A registered tokenizer failed.
    """
    return _tokenizer(model, encoding, special).count_batch(texts)


def count_messages(
    messages: Sequence[Mapping[str, Any]],
    *,
    model: str | None = None,
    encoding: str | None = None,
    tools: Sequence[Mapping[str, Any]] | None = None,
    response_format: Mapping[str, Any] | None = None,
) -> int:
    """Number of input tokens that a chat model bills for a request, see Tokenizer.count_messages.

    Raises:
        NotFoundError, UnsupportedError: There is no such tokenizer, see Tokenizer.
        InvalidError: The request is none.
        CallbackError: A registered tokenizer failed.
    """
    return _tokenizer(model, encoding).count_messages(
        messages, tools=tools, response_format=response_format
    )


def encode(  # pylint: disable=redefined-outer-name
    text: str, *, model: str | None = None, encoding: str | None = None, special: Special = "text"
) -> list[int]:
    """The ids of a text's tokens.

    Raises:
        NotFoundError, InvalidError: There is no such tokenizer, see Tokenizer.
        UnsupportedError: Neither is there for that model, or the tokenizer only counts.
        CallbackError: A registered tokenizer failed.
    """
    return _tokenizer(model, encoding, special).encode(text)


def decode(ids: Iterable[int], *, model: str | None = None, encoding: str | None = None) -> str:
    """The text of tokens; a part of a character becomes U+FFFD.

    Raises:
        NotFoundError: There is no such tokenizer, see Tokenizer.
        InvalidError: An id is no token; details have its index.
        UnsupportedError: The tokenizer only counts.
        CallbackError: A registered tokenizer failed.
    """
    return _tokenizer(model, encoding).decode(ids)


def truncate(  # pylint: disable=redefined-outer-name
    text: str,
    max_tokens: int,
    *,
    model: str | None = None,
    encoding: str | None = None,
    special: Special = "text",
) -> str:
    """The beginning of a text that has at most a number of tokens; breaks no character.

    Raises:
        NotFoundError, UnsupportedError: There is no such tokenizer, see Tokenizer.
        InvalidError: max_tokens is negative.
        CallbackError: A registered tokenizer failed.
    """
    return _tokenizer(model, encoding, special).truncate(text, max_tokens)


__all__ = [
    "BUILT_IN",
    "CustomTokenizer",
    "ESTIMATES",
    "Tokenizer",
    "count",
    "count_batch",
    "count_messages",
    "decode",
    "encode",
    "register_tokenizer",
    "truncate",
    "unregister_tokenizer",
]
