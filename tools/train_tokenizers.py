"""Trains small tokenizers, one of each family, for the tests of tokenizer files.

    python tools/train_tokenizers.py --vectors      write Tests/Vectors/tokenizers
    python tools/train_tokenizers.py FOLDER         write larger ones for the fuzzer

Each has the normalizer, pre-tokenizer, model options and decoder of a published family; what it
knows it learned from our own documentation. The tokenizers library of Hugging Face trains them, in
an environment of its own, and says what their tokens are.
"""

from __future__ import annotations

import argparse
import base64
import json
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fuzz_tokens
import token_environment
from generate_unicode import TOKENIZERS
from generate_vocabularies import TIKTOKEN

ROOT = Path(__file__).resolve().parent.parent
VECTORS = ROOT / "Tests" / "Vectors" / "tokenizers"

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_TAIL = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_WORD = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
LLAMA3 = _WORD + r"\p{N}{1,3}" + _TAIL
QWEN = _WORD + r"\p{N}" + _TAIL
CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_PREFIX, _SUFFIX = r"[^\r\n\p{L}\p{N}]?", r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_TAIL_SLASH = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
O200K = (
    f"{_PREFIX}{_UPPER}*{_LOWER}+{_SUFFIX}|{_PREFIX}{_UPPER}+{_LOWER}*{_SUFFIX}"
    + r"|\p{N}{1,3}"
    + _TAIL_SLASH
)
TEKKEN = f"{_PREFIX}{_UPPER}*{_LOWER}+|{_PREFIX}{_UPPER}+{_LOWER}*" + r"|\p{N}" + _TAIL_SLASH
DEEPSEEK = [
    r"\p{N}{1,3}",
    "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"""
    "|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+"
    r"|\s+(?!\S)|\s+",
]
MORE = (
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002\u3053\u3093\u306b\u3061\u306f "
    "\u041f\u0440\u0438\u0432\u0435\u0442 na\u00efve caf\u00e9 \u00c9cole stra\u00dfe "
    "\ud55c\uad6d\uc5b4 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \U0001f642 \ufb01 \u2460 \uff21 "
    "don't I'll It's 1234567 x=1;\r\n\tif (a) { b(); }\n\n"
)


def corpus() -> Iterator[str]:
    """Our own text, and a little of other scripts."""
    for file in sorted((ROOT / "docs").rglob("*.md")):
        yield from file.read_text(encoding="utf-8").splitlines(keepends=True)
    for _ in range(40):
        yield MORE


class Families:
    """Makes tokenizers."""

    def __init__(self, library: Any, size: int) -> None:
        self._library = library
        self._size = size

    def _bytes(self, *steps: Any, normalizer: Any = None, gpt2: bool = False) -> Any:
        """A byte-level tokenizer."""
        library = self._library
        split = library.pre_tokenizers
        tokenizer = library.Tokenizer(library.models.BPE())
        tokenizer.pre_tokenizer = split.Sequence(
            [*steps, split.ByteLevel(add_prefix_space=False, use_regex=gpt2)]
        )
        if normalizer is not None:
            tokenizer.normalizer = normalizer
        tokenizer.decoder = library.decoders.ByteLevel()
        trainer = library.trainers.BpeTrainer(
            vocab_size=self._size,
            show_progress=False,
            initial_alphabet=split.ByteLevel.alphabet(),
            special_tokens=["<|endoftext|>", "<|im_start|>"],
        )
        tokenizer.train_from_iterator(corpus(), trainer)
        tokenizer.add_tokens([library.AddedToken("<tool>", normalized=False)])
        return tokenizer

    def _split(self, pattern: str) -> Any:
        library = self._library
        return library.pre_tokenizers.Split(library.Regex(pattern), "isolated")

    def gpt2(self) -> Any:
        """GPT-2."""
        return self._bytes(gpt2=True)

    def llama3(self) -> Any:
        """Llama 3: a whole piece that is a token is one."""
        tokenizer = self._bytes(self._split(LLAMA3))
        return self._changed(tokenizer, lambda d: d["model"].update(ignore_merges=True))

    def qwen2(self) -> Any:
        """Qwen 2 and 3."""
        return self._bytes(self._split(QWEN), normalizer=self._library.normalizers.NFC())

    def o200k(self) -> Any:
        """gpt-oss, Llama 4."""
        return self._bytes(self._split(O200K))

    def tekken(self) -> Any:
        """Mistral Nemo and later."""
        return self._bytes(self._split(TEKKEN))

    def deepseek(self) -> Any:
        """DeepSeek V3."""
        return self._bytes(*map(self._split, DEEPSEEK))

    def starcoder(self) -> Any:
        """StarCoder: each digit alone; NFKC, as old Claude has it."""
        digits = self._library.pre_tokenizers.Digits(individual_digits=True)
        return self._bytes(digits, normalizer=self._library.normalizers.NFKC(), gpt2=True)

    def prefixed(self) -> Any:
        """A blank before each text, as RoBERTa may have it, and NFD."""
        library = self._library
        tokenizer = self._bytes(normalizer=library.normalizers.NFD())
        tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=True)
        return tokenizer

    def unordered(self) -> Any:
        """Merges in another order than the ids: no image can have them."""

        def change(data: dict[str, Any]) -> None:
            merges = data["model"]["merges"]
            merges[10:60] = merges[10:60][::-1]

        return self._changed(self.gpt2(), change)

    def _pieces(self, normalizer: Any, pre_tokenizer: Any, decoder: Any, **options: Any) -> Any:
        """Byte-pair encoding of characters, as SentencePiece does."""
        library = self._library
        tokenizer = library.Tokenizer(library.models.BPE(unk_token="<unk>"))
        trainer = library.trainers.BpeTrainer(
            vocab_size=self._size,
            show_progress=False,
            special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)],
            limit_alphabet=300,
        )
        if normalizer is not None:
            tokenizer.normalizer = normalizer
        tokenizer.pre_tokenizer = library.pre_tokenizers.Metaspace()
        tokenizer.train_from_iterator(corpus(), trainer)
        tokenizer.pre_tokenizer = pre_tokenizer
        tokenizer.decoder = decoder

        def change(data: dict[str, Any]) -> None:
            data["model"].update(options)
            data["added_tokens"] = [
                token for token in data["added_tokens"] if not token["content"].startswith("<0x")
            ]
            if pre_tokenizer is None:
                data["pre_tokenizer"] = None

        return self._changed(tokenizer, change)

    def llama2(self) -> Any:
        """Llama 2: no pre-tokenizer."""
        n, d = self._library.normalizers, self._library.decoders
        return self._pieces(
            n.Sequence([n.Prepend("\u2581"), n.Replace(" ", "\u2581")]),
            None,
            d.Sequence([d.Replace("\u2581", " "), d.ByteFallback(), d.Fuse(), d.Strip(" ", 1, 0)]),
            byte_fallback=True,
            fuse_unk=True,
        )

    def mistral(self) -> Any:
        """Mistral: Metaspace before the first word."""
        library = self._library
        d = library.decoders
        return self._pieces(
            None,
            library.pre_tokenizers.Metaspace(prepend_scheme="first", split=False),
            d.Sequence([d.Replace("\u2581", " "), d.ByteFallback(), d.Fuse(), d.Strip(" ", 1, 0)]),
            byte_fallback=True,
            fuse_unk=True,
        )

    def gemma(self) -> Any:
        """Gemma: a blank is merged with what is before it."""
        library = self._library
        d = library.decoders
        return self._pieces(
            library.normalizers.Replace(" ", "\u2581"),
            library.pre_tokenizers.Split(" ", "merged_with_previous"),
            d.Sequence([d.Replace("\u2581", " "), d.ByteFallback(), d.Fuse()]),
            byte_fallback=True,
            fuse_unk=True,
        )

    def unknown(self) -> Any:
        """Unknown characters, one token each; words and punctuation alone."""
        library = self._library
        split = library.pre_tokenizers
        return self._pieces(
            library.normalizers.Lowercase(),
            split.Sequence([split.Whitespace(), split.Punctuation(), split.Digits()]),
            library.decoders.Metaspace(),
        )

    def _unigram(self, normalizer: Any, pre_tokenizer: Any, **options: Any) -> Any:
        library = self._library
        tokenizer = library.Tokenizer(library.models.Unigram())
        tokenizer.normalizer = normalizer
        tokenizer.pre_tokenizer = pre_tokenizer
        tokenizer.decoder = library.decoders.Metaspace()
        trainer = library.trainers.UnigramTrainer(
            vocab_size=self._size,
            show_progress=False,
            unk_token="<unk>",  # nosec B106
            special_tokens=["<pad>", "</s>", "<unk>"],
        )
        tokenizer.train_from_iterator(corpus(), trainer)
        tokenizer.add_special_tokens(
            [library.AddedToken("<mask>", lstrip=True), library.AddedToken("<x>", rstrip=True)]
        )
        tokenizer.add_tokens([library.AddedToken("word", single_word=True)])
        return self._changed(tokenizer, lambda d: d["model"].update(options))

    def t5(self) -> Any:
        """T5 and XLM-R: a precompiled map, blanks made one, Metaspace."""
        library = self._library
        n, p = library.normalizers, library.pre_tokenizers
        blanks = n.Replace(library.Regex(" {2,}"), " ")
        return self._unigram(
            n.Sequence([n.Precompiled(charsmap()), blanks]),
            p.Sequence([p.WhitespaceSplit(), p.Metaspace()]),
        )

    def albert(self) -> Any:
        """ALBERT: quotes, NFKD, no accents, small letters."""
        library = self._library
        n = library.normalizers
        steps = [n.Replace("``", '"'), n.Replace("''", '"'), n.NFKD(), n.StripAccents()]
        steps += [n.Lowercase(), n.Strip(), n.Nmt()]
        return self._unigram(n.Sequence(steps), library.pre_tokenizers.Metaspace())

    def bytes_unigram(self) -> Any:
        """A Unigram model with tokens for bytes, and no pieces."""
        library = self._library
        tokenizer = self._unigram(
            library.normalizers.NFKC(),
            library.pre_tokenizers.Metaspace(prepend_scheme="never", split=False),
        )

        def change(data: dict[str, Any]) -> None:
            data["model"]["byte_fallback"] = True
            vocab = data["model"]["vocab"]
            vocab[-256:] = [[f"<0x{byte:02X}>", -20.0] for byte in range(256)]
            data["decoder"] = {
                "type": "Sequence",
                "decoders": [{"type": "ByteFallback"}, data["decoder"]],
            }

        return self._changed(tokenizer, change)

    def _changed(self, tokenizer: Any, change: Callable[[dict[str, Any]], None]) -> Any:
        data = json.loads(tokenizer.to_str())
        change(data)
        return self._library.Tokenizer.from_str(json.dumps(data))

    def all(self) -> dict[str, Any]:
        """All of them by name."""
        names = [name for name in vars(Families) if not name.startswith("_") and name != "all"]
        return {name: getattr(self, name)() for name in names}


MAPPED = {
    "\ufb01": "fi",
    "\uff21": "A",
    "\u2460": "1",
    "\u00a0": " ",
    "\u3000": " ",
    "e\u0301": "\u00e9",
}
MAPPED |= {"\u200b": "", "\r\n": " ", "\t": " ", "\n": " ", "\u1100\u1161": "\uac00", "a": "a"}


def charsmap() -> bytes:
    """A precompiled map: a double array of the keys' bytes, and what they become."""
    texts = b""
    children: dict[bytes, set[int]] = {}
    values: dict[bytes, int] = {}
    for name, value in MAPPED.items():
        key = name.encode()
        values[key] = len(texts)
        texts += value.encode() + b"\0"
        # A value is the child of the byte 0.
        for at, byte in enumerate([*key, 0]):
            children.setdefault(key[:at], set()).add(byte)
    units = [0] * 1024
    used = {0}
    where = {b"": 0}
    for prefix in sorted(children):
        base = next(b for b in range(1, 768) if not used & {b ^ byte for byte in children[prefix]})
        used |= {base ^ byte for byte in children[prefix]}
        units[where[prefix]] |= (where[prefix] ^ base) << 10
        for byte in children[prefix]:
            units[base ^ byte] = byte
            where[prefix + bytes([byte])] = base ^ byte
        if 0 in children[prefix]:
            units[where[prefix]] |= 1 << 8
            units[base] = 1 << 31 | values[prefix]
    raw = struct.pack(f"<{len(units)}I", *units)
    return struct.pack("<I", len(raw)) + raw + texts


def write_vectors(library: Any) -> None:
    """Small tokenizers, and a file of texts with their ids in each."""
    VECTORS.mkdir(parents=True, exist_ok=True)
    generator = fuzz_tokens.Generator(5, [[b"the", b" to", b"ing"]])
    texts = [text for text in (generator.text() for _ in range(400)) if len(text.encode()) <= 80]
    texts = [MORE, "", " ", "  a <mask> b <x>  c word sword <tool><|endoftext|>", *texts[:24]]
    found = {}
    for name, tokenizer in Families(library, 420).all().items():
        (VECTORS / f"{name}.json").write_text(
            json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":"))
            + "\n",
            encoding="utf-8",
        )
        rows = []
        for text in texts:
            tokenizer.encode_special_tokens = True
            plain = tokenizer.encode(text, add_special_tokens=False).ids
            tokenizer.encode_special_tokens = False
            special = tokenizer.encode(text, add_special_tokens=False).ids
            rows.append([plain, special, tokenizer.decode(special, skip_special_tokens=False)])
        found[name] = rows
    lines = [json.dumps(texts)]
    lines += [
        f"{json.dumps(name)}:{json.dumps(rows, separators=(',', ':'))}"
        for name, rows in found.items()
    ]
    (VECTORS / "expected.json").write_text(
        '{"texts":' + ",\n".join(lines) + "}\n", encoding="utf-8"
    )
    (VECTORS / "small.tiktoken").write_text(ranks(VECTORS / "llama3.json"), encoding="utf-8")


def ranks(file: Path) -> str:
    """The vocabulary of a byte-level tokenizer as a rank file."""
    data = json.loads(file.read_text(encoding="utf-8"))
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    alphabet = {chr(byte): byte for byte in printable}
    others = [byte for byte in range(256) if byte not in printable]
    alphabet |= {chr(0x100 + number): byte for number, byte in enumerate(others)}
    special = {token["content"] for token in data["added_tokens"]}
    lines = []
    for token, rank in sorted(data["model"]["vocab"].items(), key=lambda entry: entry[1]):
        if token not in special:
            text = base64.b64encode(bytes(alphabet[character] for character in token)).decode()
            lines.append(f"{text} {rank}\n")
    return "".join(lines)


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--vectors", action="store_true")
    parser.add_argument("--size", type=int, default=3000)
    arguments = parser.parse_args()
    token_environment.run_in("tokenizers", [TOKENIZERS, TIKTOKEN])
    # pylint: disable-next=import-outside-toplevel,import-error
    import tokenizers  # type: ignore[import-not-found]

    if arguments.vectors:
        write_vectors(tokenizers)
    if arguments.folder:
        arguments.folder.mkdir(parents=True, exist_ok=True)
        for name, tokenizer in Families(tokenizers, arguments.size).all().items():
            tokenizer.save(str(arguments.folder / f"{name}.json"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
