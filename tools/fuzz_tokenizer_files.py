"""Compares tokenizers from files with the tokenizers library of Hugging Face and with tiktoken.

    python tools/fuzz_tokenizer_files.py [--count 100000] [--seed 1] [FILE ...]

Without files, small ones of every family are trained first. A `.tiktoken` file is named with its
pattern: `ranks.tiktoken:cl100k_base`. Counts, counts of a batch, ids with and without special
tokens, and what they decode to. The first difference is printed, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import base64
import subprocess  # nosec B404
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import fuzz_tokens
import token_environment
from generate_unicode import TOKENIZERS
from generate_vocabularies import TIKTOKEN

ROOT = Path(__file__).resolve().parent.parent
TRAINED = ROOT / "build" / "tokenizers"
EXTRA = [
    " <mask> ",
    "<x>  ",
    "word",
    "sword",
    "<tool>",
    "<|endoftext|>",
    "<|im_start|>",
    "<unk>",
    "</s>",
    "\u2581",
    "  ",
    "``",
    "''",
    "<0x0A>",
    "\u1100\u1161",
    "\uac00\u0301",
    "e\u0301\u0323",
    "\r\n",
    "\ufb01",
    "\u200b",
    "\u00a9\u200d",
    "\u0600a",
    "\u0130",
    "\u03a3",
    "\uff21",
    "\u2460",
    "a\u0301\u0327\u0323",
    "\u0f71\u0f72\u0f74",
    "\u1e9b\u0323",
    "12345",
    "\u0663\u0664",
    "a1b22c333",
]


class Oracle(Protocol):
    """What is compared with."""

    def encode(self, text: str, special: bool) -> list[int]:
        """The ids of a text."""

    def decode(self, ids: list[int]) -> str:
        """The text of ids."""


class HuggingFace:
    """A tokenizer.json."""

    def __init__(self, file: Path) -> None:
        # pylint: disable-next=import-outside-toplevel,import-error
        import tokenizers  # type: ignore[import-not-found]

        self._tokenizer: Any = tokenizers.Tokenizer.from_file(str(file))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()

    def encode(self, text: str, special: bool) -> list[int]:
        """The ids of a text."""
        self._tokenizer.encode_special_tokens = not special
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: list[int]) -> str:
        """The text of ids."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=False))


class RankFile:
    """A .tiktoken file."""

    def __init__(self, file: Path, pattern: str) -> None:
        # pylint: disable-next=import-outside-toplevel,import-error
        import tiktoken  # type: ignore[import-not-found]

        import train_tokenizers  # pylint: disable=import-outside-toplevel

        regex = {
            "cl100k_base": train_tokenizers.CL100K,
            "o200k_base": train_tokenizers.O200K,
            "p50k_base": train_tokenizers.GPT2,
            "llama": train_tokenizers.LLAMA3,
            "qwen": train_tokenizers.QWEN,
            "tekken": train_tokenizers.TEKKEN,
        }[pattern]
        ranks = {}
        for line in file.read_bytes().splitlines():
            token, rank = line.split()
            ranks[base64.b64decode(token)] = int(rank)
        self._encoding: Any = tiktoken.Encoding(
            file.name, pat_str=regex, mergeable_ranks=ranks, special_tokens={}
        )

    def encode(self, text: str, special: bool) -> list[int]:
        """The ids of a text."""
        del special
        return list(self._encoding.encode_ordinary(text))

    def decode(self, ids: list[int]) -> str:
        """The text of ids."""
        return str(self._encoding.decode(ids))


class Strings:  # pylint: disable=too-few-public-methods
    """Random strings, and what tokenizers treat in ways of their own."""

    def __init__(self, seed: int) -> None:
        self._generator = fuzz_tokens.Generator(seed, [[b" the", b"tion", b"\xe4\xb8\xad", b"  "]])
        # pylint: disable-next=protected-access
        self._random = self._generator._random

    def __iter__(self) -> Iterator[str]:
        while True:
            source = self._random
            text = self._generator.text()
            if source.random() < 0.4:
                parts = [text[:20]]
                for _ in range(source.randrange(1, 8)):
                    parts.append(source.choice(EXTRA))
                    parts.append(source.choice([" ", "", "a", text[20:24]]))
                text = "".join(parts)
            if source.random() < 0.1:
                text = (
                    source.choice([" ", "\n", "\u3000", ""])
                    + text
                    + source.choice([" ", "\n ", ""])
                )
            yield text


def problem(ours: dict[bool, Any], oracle: Oracle, text: str) -> str | None:
    """What differs for a text, if anything; ours with special tokens as text, and as tokens."""
    for special, tokenizer in ours.items():
        expected = oracle.encode(text, special)
        found = tokenizer.encode(text)
        if found != expected:
            return f"special={special}: ids {found}, not {expected}"
        if tokenizer.count(text) != len(expected):
            return f"special={special}: the count is not {len(expected)}"
    decoded = ours[True].decode_bytes(expected)
    if decoded.decode("utf-8", "replace") != (answer := oracle.decode(expected)):
        return f"decoding {expected} gives {decoded!a}, not {answer!a}"
    return None


def files(arguments: argparse.Namespace) -> list[tuple[Path, str]]:
    """The files, and a pattern for those that need one."""
    if not arguments.files:
        script = ROOT / "tools" / "train_tokenizers.py"
        subprocess.run([sys.executable, str(script), str(TRAINED)], check=True)  # nosec B603
        return [(file, "") for file in sorted(TRAINED.glob("*.json"))]
    named = (str(file).rpartition(":") for file in arguments.files)
    return [(Path(path or pattern), pattern if path else "") for path, _, pattern in named]


def main() -> int:  # pylint: disable=too-many-locals
    """The exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000, help="strings for each file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--all", action="store_true", help="go on after a difference")
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    token_environment.run_in("tokenizers", [TOKENIZERS, TIKTOKEN])
    token_environment.use_package()
    from memexllm.tokens import Tokenizer  # pylint: disable=import-outside-toplevel

    status = 0
    for file, pattern in files(arguments):
        started = time.monotonic()
        plain = Tokenizer(path=file, pattern=pattern or None)
        loading = time.monotonic() - started
        ours = {
            False: plain,
            True: Tokenizer(path=file, pattern=pattern or None, special="tokens"),
        }
        oracle: Oracle = RankFile(file, pattern) if pattern else HuggingFace(file)
        started = time.monotonic()
        batch: list[str] = []
        counts: list[int] = []
        for index, text in zip(range(arguments.count), Strings(arguments.seed), strict=False):
            difference = problem(ours, oracle, text)
            batch.append(text)
            counts.append(plain.count(text))
            if len(batch) == 50:
                if plain.count_batch(batch) != counts:
                    difference = "a batch that ends with this has other counts"
                batch, counts = [], []
            if difference:
                print(f"{file}, seed {arguments.seed}, string {index}: {text!a}\n{difference}")
                status = 1
                break
        else:
            seconds = time.monotonic() - started
            print(
                f"{file.name}: {arguments.count} strings alike ({seconds:.0f} s), "
                f"loaded in {loading:.3f} s"
            )
        if status and not arguments.all:
            return status
    return status


if __name__ == "__main__":
    sys.exit(main())
