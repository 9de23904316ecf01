"""The tokenizers of this library for the fuzzer and the benchmark, and what they are measured
against: tiktoken and others, in environments of their own under build/."""

from __future__ import annotations

import array
import ctypes
import hashlib
import os
import subprocess  # nosec B404
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import generate_vocabularies

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = ROOT / "build" / "probe"
ENCODINGS = ["o200k_base", "o200k_harmony", "cl100k_base", "p50k_base"]
_URL = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"


def environment(name: str, packages: Sequence[str]) -> Path:
    """The Python of an environment that has these packages; made once."""
    folder = ROOT / "build" / "environments" / name
    python = folder / "bin" / "python"
    stamp = folder / "packages"
    wanted = "\n".join(packages)
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        venv.create(folder, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", *packages]
        subprocess.run(command, check=True)  # nosec B603
        stamp.write_text(wanted, encoding="utf-8")
    return python


def run_in(name: str, packages: Sequence[str]) -> None:
    """Runs this program again in such an environment; returns at once when it does already."""
    python = environment(name, packages)
    if Path(sys.prefix) != python.parent.parent:
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        os.execv(str(python), [str(python), *sys.argv])  # nosec B606


def provide_rank_files() -> dict[str, Path]:
    """Lets tiktoken find its rank files, which its wheel does not have, without a network."""
    files = generate_vocabularies.rank_files()
    cache = ROOT / "build" / "vocabularies" / "tiktoken"
    cache.mkdir(parents=True, exist_ok=True)
    for name, file in files.items():
        key = hashlib.sha1(_URL.format(name).encode(), usedforsecurity=False).hexdigest()
        if not (cache / key).exists():
            (cache / key).write_bytes(file.read_bytes())
    os.environ["TIKTOKEN_CACHE_DIR"] = str(cache)
    return files


def build() -> Path:
    """Builds the tokenizers as a library."""
    subprocess.run(  # nosec B603 B607
        [
            *("swift", "build", "-c", "release", "--product", "tokenizer-probe"),
            *("--scratch-path", str(SCRATCH)),
        ],
        check=True,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    return SCRATCH / "release" / "libtokenizer-probe.so"


class Probe:
    """The tokenizers; an encoding is its place in ENCODINGS."""

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        size, text, number = ctypes.c_ssize_t, ctypes.c_char_p, ctypes.c_int32
        functions = {
            "probe_count": (size, [number, text, size, number]),
            "probe_count_batch": (number, [number, text, ctypes.c_void_p, size, ctypes.c_void_p]),
            "probe_encode": (size, [number, text, size, number, ctypes.c_void_p, size]),
            "probe_decode": (size, [number, ctypes.c_void_p, size, ctypes.c_void_p, size]),
            "probe_open": (number, [text, text, ctypes.c_void_p, size]),
        }
        for name, (result, arguments) in functions.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments

    def open(self, file: Path, pattern: str = "") -> int:
        """Loads a tokenizer from a file; its number takes the place of an encoding."""
        message = ctypes.create_string_buffer(1000)
        path, name = str(file).encode(), pattern.encode() or None
        number = int(self._library.probe_open(path, name, message, len(message)))
        if number < 0:
            raise ValueError(message.value.decode("utf-8", "replace"))
        return number

    def count(self, encoding: int, text: bytes, special: bool = False) -> int:
        """Tokens of a text."""
        return int(self._library.probe_count(encoding, text, len(text), special))

    def count_batch(self, encoding: int, texts: Sequence[bytes]) -> list[int]:
        """Tokens of several texts in one call."""
        lengths = array.array("q", map(len, texts))
        counts = array.array("q", bytes(8 * len(texts)))
        self.count_into(encoding, b"".join(texts), lengths, counts)
        return counts.tolist()

    def count_into(
        self, encoding: int, texts: bytes, lengths: array.array[int], counts: array.array[int]
    ) -> None:
        """The same without any conversion."""
        place, out = lengths.buffer_info()[0], counts.buffer_info()[0]
        if self._library.probe_count_batch(encoding, texts, place, len(lengths), out) != 0:
            raise MemoryError

    def encode(self, encoding: int, text: bytes, special: bool = False) -> list[int]:
        """Ids of a text's tokens."""
        # A normalizer may make a text longer.
        room = 24 * len(text) + 64
        ids = array.array("I", bytes(4 * room))
        place = ids.buffer_info()[0]
        count = self._library.probe_encode(encoding, text, len(text), special, place, room)
        return ids[:count].tolist()

    def decode(self, encoding: int, ids: Sequence[int]) -> bytes:
        """Bytes of tokens."""
        values = array.array("I", ids)
        room = 1024 * len(values)
        text = ctypes.create_string_buffer(room + 1)
        place = values.buffer_info()[0]
        count = self._library.probe_decode(encoding, place, len(values), text, room)
        if count < 0:
            raise ValueError("an id is no token")
        return text.raw[:count]
