"""Compares the tokenizers with tiktoken on random strings.

    python tools/fuzz_tokens.py [--count 1000000] [--seed 1]
    python tools/fuzz_tokens.py --vectors Tests/Vectors/tokens.json --count 300

Counts, counts of a batch, ids, ids with special tokens, and what they decode to, in all built-in
encodings. With --vectors, writes strings and tiktoken's ids for the unit tests instead. tiktoken
runs in an environment of its own and reads the rank files that the vocabularies are made from. The
first difference is printed with its seed, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from pathlib import Path
from typing import Any

import token_environment
from generate_vocabularies import TIKTOKEN

# A character of every class, the hot ones of ASCII more than once.
CLASSES = (
    "aAzZ09 \t\n\r.,'!\"/-_=\u00e9\u00c9\u0301\u4e2d\u3042\u0410\u0430\u05d0\U0001f600\u200d\u0660"
    "\u2167\u00a0\u2003\u2028\u0085\u017f\u01c5\u02b0\u212a\ufeff\u200b\x00\x0b\x0c\x1c\U0001d400"
    "\u0e33\uac00  aabcdeABC''"
)
# What the patterns treat in a way of its own.
FRAGMENTS = (
    ["'s", "'T", "'re", "'VE", "'ll", "'d", "'m", "'\u017f", "'", "''", " ", "  ", "\n", "\r\n"]
    + ["\n\n", "/", "//", ";\n", "\t", "don", "It", "XML", "http", "a", "B", "1", "22", "333"]
    + [
        "4444",
        "(",
        ")",
        "{ ",
        "});",
        "\n    ",
        "    \n",
        "\u3000",
        "\u00e9",
        "na\u00efve",
        "\u00df",
    ]
    + ["\u4e2d\u6587", "\u65e5\u672c", "\u041f\u0440\u0438\u0432\u0435\u0442", "\U0001f642"]
    + ["a\u0301", "_", "foo_bar", "Foo", "camelCase", "...", "!!", "?", '"', "<|", "|>"]
    + ["<|endoftext|>", "<|endofprompt|>", "<|start|>", "<|reserved_200013|>", "<|fim_prefix|>"]
)
LENGTHS = [1, 2, 3, 5, 8, 13, 20, 40, 80, 150]


def code_point(source: random.Random, low: int, high: int) -> str:
    """A character that is no surrogate."""
    while True:
        code = source.randrange(low, high)
        if not 0xD800 <= code < 0xE000:
            return chr(code)


def mixed(source: random.Random) -> str:
    """A character of ASCII, a small script, or a large one."""
    low, high = source.choice([(0, 0x80), (0x80, 0x800), (0x4E00, 0x9FFF)])
    return code_point(source, low, high)


class Generator:  # pylint: disable=too-few-public-methods
    """Strings of nine kinds."""

    def __init__(self, seed: int, vocabularies: list[list[bytes]]) -> None:
        self._random = random.Random(seed)
        self._vocabularies = vocabularies

    def text(self) -> str:  # pylint: disable=too-many-return-statements
        """The next string."""
        source = self._random
        kind = source.randrange(9)
        length = source.choice(LENGTHS)
        if kind == 0:
            return "".join(source.choice(CLASSES) for _ in range(length))
        if kind == 1:
            return "".join(source.choice(FRAGMENTS) for _ in range(length))
        if kind == 2:
            return "".join(chr(source.randrange(0x20, 0x7F)) for _ in range(length))
        if kind == 3:
            return "".join(code_point(source, 0, 0x110000) for _ in range(length))
        if kind == 4:
            times = [1, 1, 2, 3, 9, 30, 200]
            parts = range(max(1, length // 4))
            return "".join(source.choice(CLASSES) * source.choice(times) for _ in parts)
        if kind == 5:
            tokens = source.choice(self._vocabularies)
            parts = range(length)
            return b"".join(source.choice(tokens) for _ in parts).decode("utf-8", "ignore")
        if kind == 6:
            return "".join(
                source.choice(FRAGMENTS) if source.random() < 0.5 else mixed(source)
                for _ in range(length)
            )
        if kind == 7:
            # One long piece of few letters, up to several windows of the merger.
            letters = source.choice(
                ["a", "ab", "abc", " ", "=-", "\u4e2d\u6587", "\u0430\u0431", "e\u0301"]
            )
            return "".join(
                source.choice(letters) for _ in range(length * source.choice([1, 10, 40]))
            )
        return "".join(chr(source.randrange(128)) for _ in range(length))


class Comparison:  # pylint: disable=too-few-public-methods
    """Ours against tiktoken's."""

    def __init__(self, tokens: Any, encodings: list[Any]) -> None:
        self._encodings = encodings
        self._ours = [tokens.Tokenizer(encoding=encoding.name) for encoding in encodings]
        self._special = [
            tokens.Tokenizer(encoding=encoding.name, special="tokens") for encoding in encodings
        ]
        self._batches: list[tuple[list[str], list[int]]] = [([], []) for _ in encodings]

    def problem(self, text: str) -> str | None:
        """What differs for a text, if anything."""
        raw = text.encode()
        for number, encoding in enumerate(self._encodings):
            expected = encoding.encode_ordinary(text)
            ours = self._ours[number]
            found = ours.encode(text)
            if found != expected:
                return f"{encoding.name}: ids {found}, not {expected}"
            if ours.count(text) != len(expected):
                return f"{encoding.name}: the count is not {len(expected)}"
            if ours.decode_bytes(found) != raw:
                return f"{encoding.name}: decoding gives other bytes"
            texts, counts = self._batches[number]
            texts.append(text)
            counts.append(len(expected))
            if len(texts) == 50:
                if ours.count_batch(texts) != counts:
                    return f"{encoding.name}: a batch that ends with this has other counts"
                texts.clear()
                counts.clear()
            if "<|" in text:
                expected = encoding.encode(text, allowed_special="all")
                if self._special[number].encode(text) != expected:
                    return f"{encoding.name}: with special tokens the ids are not {expected}"
                if self._special[number].count(text) != len(expected):
                    return f"{encoding.name}: with special tokens the count is another"
        return None


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=1_000_000, help="how many strings")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vectors", type=Path, help="write this file and compare nothing")
    arguments = parser.parse_args()
    token_environment.run_in("tiktoken", [TIKTOKEN])
    token_environment.provide_rank_files()
    token_environment.use_package()
    # pylint: disable=import-outside-toplevel,import-error
    import tiktoken  # type: ignore[import-not-found]

    from memexllm import tokens

    # pylint: enable=import-outside-toplevel,import-error

    encodings = [tiktoken.get_encoding(name) for name in token_environment.ENCODINGS]
    # pylint: disable-next=protected-access
    vocabularies = [list(encoding._mergeable_ranks) for encoding in encodings]
    generator = Generator(arguments.seed, vocabularies)
    if arguments.vectors:
        texts = [generator.text() for _ in range(arguments.count)]
        write_vectors(arguments.vectors, [t for t in texts if len(t.encode()) <= 200], encodings)
        return 0
    comparison = Comparison(tokens, encodings)
    started = time.monotonic()
    for number in range(arguments.count):
        text = generator.text()
        problem = comparison.problem(text)
        if problem:
            print(f"seed {arguments.seed}, string {number}: {text!a}\n{problem}", file=sys.stderr)
            return 1
    seconds = time.monotonic() - started
    print(f"{arguments.count} strings in {len(encodings)} encodings as tiktoken ({seconds:.0f} s)")
    return 0


def write_vectors(file: Path, texts: list[str], encodings: list[Any]) -> None:
    """A JSON array of objects with a text and its ids in each encoding, special tokens as such."""
    lines = []
    for text in texts:
        ids = {e.name: e.encode(text, allowed_special="all") for e in encodings}
        lines.append(json.dumps({"text": text, **ids}, separators=(",", ":")))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
