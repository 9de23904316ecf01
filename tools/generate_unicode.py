"""Makes the table of what tokenizer files need to know about characters.

    python tools/generate_unicode.py

It is Sources/CMemexVocabularies/images/unicode.bin, whose checksum `make check-generated` compares
with the others. Every property is what the tokenizers
library of Hugging Face answers, which runs in an environment of its own: the counts of a
tokenizer.json are exact when they are those that its users have, whatever Unicode version each
part of that library follows.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import generate_vocabularies
import token_environment

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "Sources" / "CMemexVocabularies" / "images" / "unicode.bin"
TOKENIZERS = "tokenizers==0.23.3"

BLOCK = 128
# Bits of a character, as UnicodeTable.swift reads them.
WORD, PUNCTUATION, SYMBOL, MARK, EXTENDS, PREPENDS, CONTROL, NORMALIZED = (1 << n for n in range(8))
ACUTE = "\u0301"


def code_points() -> list[int]:
    """All that are no surrogates."""
    return [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]


def charsmap(key: bytes) -> bytes:
    """A precompiled map of one key to "Z": a double array of bytes, then what they map to.

    A node's place is its parent's offset xor its byte; each node gets a block of its own.
    """
    units = [0] * (256 * (len(key) + 2))
    place = 0
    for depth, byte in enumerate(key):
        base = 256 * (depth + 1)
        units[place] |= (place ^ base) << 10
        place = base ^ byte
        units[place] = byte
    base = 256 * (len(key) + 1)
    units[place] |= (place ^ base) << 10 | 1 << 8
    units[base] = 1 << 31
    raw = struct.pack(f"<{len(units)}I", *units)
    return struct.pack("<I", len(raw)) + raw + b"Z\0"


class Asker:
    """What the library says about characters."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._normalizers = library.normalizers
        self._text = "".join(map(chr, code_points()))

    def matching(self, splitter: Any) -> set[int]:
        """Characters that a pre-tokenizer keeps."""
        pieces = splitter.pre_tokenize_str(self._text)
        return {ord(character) for piece, _ in pieces for character in piece}

    def regex(self, pattern: str) -> set[int]:
        """Characters that a regular expression matches."""
        split = self._library.pre_tokenizers.Split
        return self.matching(split(self._library.Regex(pattern), "removed", invert=True))

    def words(self) -> set[int]:
        """What its Whitespace takes as part of a word."""
        # Between symbols each word character is a piece of its own.
        splitter = self._library.pre_tokenizers.Whitespace()
        found = set()
        for code in code_points():
            pieces = splitter.pre_tokenize_str("a" + chr(code))
            if len(pieces) == 1 and len(pieces[0][0]) == 2:
                found.add(code)
        return found

    def flags(self) -> bytearray:
        """A byte for each code point."""
        flags = bytearray(0x110000)

        def mark(codes: Iterable[int], flag: int) -> None:
            for code in codes:
                flags[code] |= flag

        kept = self.matching(self._library.pre_tokenizers.Punctuation("removed"))
        mark(self.words(), WORD)
        mark(set(code_points()) - kept, PUNCTUATION)
        mark(self.regex(r"[\p{P}\p{S}]"), SYMBOL)
        strip = self._normalizers.StripAccents()
        mark((c for c in code_points() if not strip.normalize_str(chr(c))), MARK)
        letter = self._normalizers.Precompiled(charsmap(b"a"))
        mark(
            (c for c in code_points() if letter.normalize_str("a" + chr(c)) == "Z"),
            EXTENDS,
        )
        for code in code_points():
            if 0x3400 <= code < 0xA000 or 0xAC00 <= code < 0xF900 or code >= 0x13000:
                continue
            single = self._normalizers.Precompiled(charsmap(chr(code).encode()))
            if single.normalize_str(chr(code) + "a") == "Z":
                flags[code] |= PREPENDS
            if code < 0x10000 and single.normalize_str(chr(code) + ACUTE) != "Z":
                flags[code] |= CONTROL
        return flags

    def decompositions(self, form: str) -> dict[int, str]:
        """Characters that NFD or NFKD changes, Hangul syllables aside."""
        normalizer = getattr(self._normalizers, form)()
        found = {}
        for code in code_points():
            if not 0xAC00 <= code <= 0xD7A3:
                text = normalizer.normalize_str(chr(code))
                if text != chr(code):
                    found[code] = text
        return found

    def combining_classes(self) -> dict[int, int]:
        """Characters that move in front of others, and a number that orders them."""
        normalizer = self._normalizers.NFD()

        def moves(first: int, second: int) -> bool:
            text = "a" + chr(first) + chr(second)
            return bool(normalizer.normalize_str(text) != text)

        # A mark of the lowest class and one of the highest tell who has a class at all.
        low, high = 0x334, 0x345
        members = [
            code
            for code in code_points()
            if not 0x3400 <= code < 0xA000
            and normalizer.normalize_str(chr(code)) == chr(code)
            and (moves(code, low) or moves(high, code))
        ]
        # One representative of each class, in order; a new one is put where it belongs.
        classes: list[int] = []
        found = {}
        for code in members:
            at, end = 0, len(classes)
            equal = False
            while at < end:
                middle = (at + end) // 2
                if moves(code, classes[middle]):
                    at = middle + 1
                elif moves(classes[middle], code):
                    end = middle
                else:
                    equal = True
                    break
            if not equal:
                classes.insert(at, code)
        for code in members:
            for number, other in enumerate(classes, 1):
                if not moves(code, other) and not moves(other, code):
                    found[code] = number
        return found

    def compositions(self, canonical: dict[int, str]) -> dict[tuple[int, int], int]:
        """Pairs that NFC makes one character of, Hangul aside."""
        normalizer = self._normalizers.NFC()
        found = {}
        for code, text in canonical.items():
            if normalizer.normalize_str(text) == chr(code) and len(text) > 1:
                first = normalizer.normalize_str(text[:-1])
                if len(first) == 1:
                    found[ord(first), ord(text[-1])] = code
        return found

    def lowercase(self) -> dict[int, int]:
        """Characters with a small form of one character."""
        normalizer = self._normalizers.Lowercase()
        found = {}
        for code in code_points():
            text = normalizer.normalize_str(chr(code))
            if text != chr(code) and len(text) == 1:
                found[code] = ord(text)
            elif text != chr(code) and code != 0x130:
                raise SystemExit(f"U+{code:04X} has a small form of several characters")
        return found


def two_levels(flags: bytearray) -> bytes:
    """Two bytes for each block, then the distinct blocks."""
    index = bytearray()
    blocks: dict[bytes, int] = {}
    for start in range(0, len(flags), BLOCK):
        number = blocks.setdefault(bytes(flags[start : start + BLOCK]), len(blocks))
        index += struct.pack("<H", number)
    return bytes(index) + b"".join(blocks)


def words(values: Iterable[int]) -> bytes:
    """Four bytes each."""
    return b"".join(struct.pack("<I", value) for value in values)


def table(asker: Asker) -> bytes:  # pylint: disable=too-many-locals
    """The file: the places of the sections and their entries, then the sections."""
    canonical, compatible = asker.decompositions("NFD"), asker.decompositions("NFKD")
    classes, lowercase = asker.combining_classes(), asker.lowercase()
    compositions = asker.compositions(canonical)
    flags = asker.flags()
    for code in set(canonical) | set(compatible) | set(classes):
        flags[code] |= NORMALIZED
    for _, second in compositions:
        flags[second] |= NORMALIZED
    # A text may hold the parts of a syllable.
    for code in range(0x1161, 0x11C3):
        flags[code] |= NORMALIZED

    pool = ""

    def place(text: str | None) -> int:
        nonlocal pool
        if text is None:
            return 0
        if text not in pool:
            pool += text
        return pool.index(text) << 8 | len(text)

    codes = sorted(set(canonical) | set(compatible))
    for code in sorted(codes, key=lambda c: -len(compatible.get(c, ""))):
        place(compatible.get(code))
    pairs = sorted(compositions.items())
    sections = [
        (two_levels(flags), 0x110000),
        (words(codes), len(codes)),
        (words(place(canonical.get(code)) for code in codes), len(codes)),
        (words(place(compatible.get(code)) for code in codes), len(codes)),
        (words(map(ord, pool)), len(pool)),
        (words(code << 8 | classes[code] for code in sorted(classes)), len(classes)),
        (b"".join(struct.pack("<II", s, f) for (f, s), _ in pairs), len(pairs)),
        (words(code for _, code in pairs), len(pairs)),
        (b"".join(struct.pack("<II", c, lowercase[c]) for c in sorted(lowercase)), len(lowercase)),
    ]
    # The pool is final only after all places were asked for.
    sections[4] = (words(map(ord, pool)), len(pool))
    header, body = b"", b""
    for section, entries in sections:
        body += b"\0" * (-len(body) % 8)
        header += struct.pack("<II", 128 + len(body), entries)
        body += section
    return header.ljust(128, b"\0") + body


def main() -> int:
    """The exit status."""
    token_environment.run_in("tokenizers", [TOKENIZERS, generate_vocabularies.TIKTOKEN])
    # pylint: disable-next=import-outside-toplevel,import-error
    import tokenizers  # type: ignore[import-not-found]

    FILE.write_bytes(table(Asker(tokenizers)))
    generate_vocabularies.SUMS.write_text(generate_vocabularies.checksums(), encoding="utf-8")
    print(f"{FILE.relative_to(ROOT)} has {FILE.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
