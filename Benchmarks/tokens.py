#!/usr/bin/env python3
"""Measures counting against tiktoken, gigatoken and splintr-rs, in one process, by turns.

    tokens.py                      o200k_base and cl100k_base, about a minute each
    tokens.py --encoding o200k_base --only count_chat,count_code --rounds 9
    tokens.py --json               figures alone, as JSON: for run.py

Every text is measured once: a round takes texts that no contestant has seen, after each has counted
600 others. Rates are of CPU time of one thread; a ratio is taken within a round, and the median of
the rounds is shown with the lowest and the highest. Peers are called text by text and in batches,
and the better of the two counts. All must find the same numbers of tokens as tiktoken (splintr-rs
takes special tokens out of text and is not compared). build/bench-tokens.json has the rows.
"""

from __future__ import annotations

import argparse
import array
import ctypes
import gettext
import glob
import json
import lzma
import random
import statistics
import sys
import tarfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import token_environment  # noqa: E402  pylint: disable=wrong-import-position

PACKAGES = ["tiktoken==0.14.0", "gigatoken==0.10.0", "splintr-rs==0.22.0"]
DATA = ROOT.parent / "shared" / "data"
WARM = 600
# Ours to tiktoken's, of the C call with all texts, and of Python with all texts.
TARGETS = {
    "count_chat": 9.0,
    "count_prose": 9.0,
    "count_code": 8.5,
    "count_multilingual": 4.0,
    "count_chinese": 6.0,
}
PYTHON_TARGETS = {"count_chat": 8.0}

Counter = Callable[[list[str]], list[int]]


def member(archive: str, ending: str) -> list[Any]:
    """The JSON files of an archive of real data whose names end so."""
    with tarfile.open(DATA / archive) as files:
        found = [item for item in files.getmembers() if item.name.endswith(ending)]
        return [json.load(files.extractfile(item)) for item in found]  # type: ignore[arg-type]


def chat() -> list[str]:
    """What people and models said, from four sets of real conversations."""
    texts = []
    for dialogues in member("sgd-dev-slice.tar.xz", ".json"):
        texts += [turn["utterance"] for dialogue in dialogues for turn in dialogue["turns"]]
    for conversations in member("fastchat.tar.xz", "dummy_conversation.first250.json"):
        texts += [turn["value"] for one in conversations for turn in one["conversations"]]
    with lzma.open(DATA / "tau-bench-airline-gpt4o.jsonl.xz") as lines:
        for line in lines:
            texts += [message.get("content") for message in json.loads(line)["traj"]]
    return [text for text in texts if isinstance(text, str)]


def chinese() -> list[str]:
    """CrossWOZ."""
    dialogues = member("crosswoz-val.tar.xz", "val.json")[0].values()
    return [message["content"] for dialogue in dialogues for message in dialogue["messages"]]


def files(*patterns: str) -> list[str]:
    """The contents of text files of this machine."""
    texts = []
    for pattern in patterns:
        for name in sorted(glob.glob(pattern)):
            try:
                texts.append(Path(name).read_text(encoding="utf-8"))
            except (UnicodeDecodeError, OSError):
                continue
    return texts


def prose() -> list[str]:
    """Paragraphs of manuals and licences."""
    whole = files(
        "/usr/share/perl/*/pod/*.pod", "/usr/share/common-licenses/*", "/usr/share/vim/*/doc/*.txt"
    )
    return [part for text in whole for part in text.split("\n\n") if len(part) > 200]


def code() -> list[str]:
    """Python's library in parts of 528 characters."""
    whole = files(f"{Path(json.__file__).parent.parent}/*.py")
    return [text[at : at + 528] for text in whole for at in range(0, len(text), 528)]


def multilingual() -> list[str]:
    """Translations of programs' messages into all languages there are."""
    texts = []
    for name in sorted(glob.glob("/usr/share/locale/*/LC_MESSAGES/*.mo"))[::7]:
        try:
            with open(name, "rb") as file:
                catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        except (OSError, ValueError):
            continue
        texts += [v for k, v in catalogue.items() if k and isinstance(v, str) and len(v) > 60]
    return texts


CORPORA: dict[str, Callable[[], list[str]]] = {
    "count_chat": chat,
    "count_prose": prose,
    "count_code": code,
    "count_multilingual": multilingual,
    "count_chinese": chinese,
}


class Ours:
    """The library: one call for all texts, from Python and alone."""

    def __init__(self, encoding: str) -> None:
        # pylint: disable=import-outside-toplevel
        from memexllm import tokens
        from memexllm._lib import lib

        self._tokenizer = tokens.Tokenizer(encoding=encoding)
        self._function = lib.memex_tokenizer_count_batch

    def python(self, texts: list[str]) -> list[int]:
        """With the conversions that Python needs."""
        return self._tokenizer.count_batch(texts)

    def prepare(self, texts: list[str]) -> Callable[[], list[int]]:
        """A call that does nothing but count."""
        raw = [text.encode() for text in texts]
        joined, lengths = b"".join(raw), array.array("Q", map(len, raw))
        counts = array.array("q", bytes(8 * len(raw)))
        out = ctypes.cast(counts.buffer_info()[0], ctypes.POINTER(ctypes.c_int64))
        place, handle = lengths.buffer_info()[0], self._tokenizer.handle

        def call() -> array.array[int]:
            if self._function(handle, joined, len(joined), place, len(lengths), out, None):
                raise SystemExit("a batch could not be counted")
            return counts

        return call  # type: ignore[return-value]


def peers(encoding: str, rank_file: Path) -> dict[str, list[Counter]]:
    """The others, each with its ways to count."""
    # pylint: disable=import-outside-toplevel,import-error
    import gigatoken  # type: ignore[import-not-found]
    import splintr  # type: ignore[import-not-found]
    import tiktoken  # type: ignore[import-not-found]

    first = tiktoken.get_encoding(encoding)
    second = gigatoken.Tokenizer.from_tiktoken(str(rank_file))
    third = splintr.Tokenizer.from_pretrained(encoding)
    return {
        "tiktoken": [
            lambda texts: [len(first.encode_ordinary(text)) for text in texts],
            lambda texts: list(map(len, first.encode_ordinary_batch(texts, num_threads=1))),
        ],
        "gigatoken": [
            lambda texts: [len(second.encode(text)) for text in texts],
            lambda texts: list(map(len, second.encode_batch(texts, parallel=False))),
        ],
        "splintr-rs": [lambda texts: [len(third.encode(text)) for text in texts]],
    }


def timed(call: Callable[[], Sequence[int]]) -> tuple[float, list[int]]:
    """Seconds of CPU, of the process where it used other threads, and the counts."""
    process, thread = time.process_time(), time.thread_time()
    counts = call()
    thread, process = time.thread_time() - thread, time.process_time() - process
    return max(thread, process), list(counts)


def measure(
    texts: list[str], rounds: int, ours: Ours, others: dict[str, list[Counter]]
) -> dict[str, list[float]]:
    """MB/s of every contestant in every round."""
    warm, rest = texts[:WARM], texts[WARM:]
    size = len(rest) // rounds
    rates: dict[str, list[float]] = {}
    for number in range(rounds):
        part = rest[number * size : (number + 1) * size]
        megabytes = sum(len(text.encode()) for text in part) / 1e6
        expected: list[int] = []

        def note(name: str, seconds: float, megabytes: float = megabytes) -> None:
            rates.setdefault(name, []).append(
                megabytes / seconds
            )  # pylint: disable=cell-var-from-loop

        # Each way to count sees half of the texts, so that it has not seen them the other way.
        for name, ways in others.items():
            best, counts = 0.0, []
            for index, way in enumerate(ways):
                way(warm)
                share = part[index :: len(ways)]
                seconds, found = timed(lambda w=way, s=share: w(s))  # type: ignore[misc]
                best = max(best, sum(len(text.encode()) for text in share) / 1e6 / seconds)
                counts.append(found)
            note(name, megabytes / best)
            merged = [0] * len(part)
            for index, found in enumerate(counts):
                merged[index :: len(ways)] = found
            if name == "tiktoken":
                expected = merged
            elif name != "splintr-rs" and merged != expected:
                raise SystemExit(f"{name} does not count as tiktoken")
        ours.prepare(warm)()
        seconds, counts = timed(ours.prepare(part[::2]))
        note("C", megabytes / (sum(len(t.encode()) for t in part[::2]) / 1e6 / seconds))
        other_seconds, other = timed(
            lambda: ours.python(part[1::2])
        )  # pylint: disable=cell-var-from-loop
        note("Python", megabytes / (sum(len(t.encode()) for t in part[1::2]) / 1e6 / other_seconds))
        if counts != expected[::2] or other != expected[1::2]:
            raise SystemExit("ours does not count as tiktoken")
    return rates


def summary(name: str, encoding: str, rates: dict[str, list[float]]) -> dict[str, Any]:
    """A row: medians of the rates, and ratios to tiktoken as median, lowest and highest."""
    row: dict[str, Any] = {"name": name, "encoding": encoding, "MB/s": {}, "to_tiktoken": {}}
    for who, values in rates.items():
        ratios = [a / b for a, b in zip(values, rates["tiktoken"], strict=True)]
        row["MB/s"][who] = round(statistics.median(values), 1)
        row["to_tiktoken"][who] = [round(f(ratios), 2) for f in (statistics.median, min, max)]
    row["target"] = TARGETS[name]
    row["python_target"] = PYTHON_TARGETS.get(name)
    ratio = {who: values[0] for who, values in row["to_tiktoken"].items()}
    row["reached"] = (
        ratio["C"] >= row["target"]
        and ratio["Python"] >= (row["python_target"] or 0)
        and ratio["C"] > ratio["gigatoken"]
    )
    return row


def show(row: dict[str, Any]) -> None:
    """Prints a row."""
    cells = []
    for who, rate in row["MB/s"].items():
        middle, low, high = row["to_tiktoken"][who]
        cells.append(f"{who} {rate:.0f} ({middle:.1f} [{low:.1f}-{high:.1f}])")
    mark = "reached" if row["reached"] else "MISSED"
    wanted = f">= {row['target']} {mark}"
    print(f"{row['encoding']} {row['name']}: {', '.join(cells)} MB/s; {wanted}", flush=True)


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--encoding", action="append", choices=["o200k_base", "cl100k_base"])
    parser.add_argument("--only", default=",".join(CORPORA), help="rows, with commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="medians as JSON")
    arguments = parser.parse_args()
    token_environment.run_in("token-peers", PACKAGES)
    rank_files = token_environment.provide_rank_files()
    token_environment.use_package()
    rows = []
    for encoding in arguments.encoding or ["o200k_base", "cl100k_base"]:
        others = peers(encoding, rank_files[encoding])
        for name in arguments.only.split(","):
            try:
                texts = list(dict.fromkeys(text for text in CORPORA[name]() if text.strip()))
            except FileNotFoundError as error:
                print(f"{name} is skipped: {error.filename} is absent", file=sys.stderr)
                continue
            random.Random(2).shuffle(texts)
            if len(texts) < WARM + 500:
                found = f"this machine has {len(texts)} texts of the kind"
                print(f"{name} is skipped: {found}", file=sys.stderr)
                continue
            rates = measure(texts[:20_000], arguments.rounds, Ours(encoding), others)
            rows.append(summary(name, encoding, rates))
            if not arguments.json:
                show(rows[-1])
    if arguments.json:
        print(json.dumps({f"{row['name']} {row['encoding']}": row for row in rows}))
        return 0
    target = ROOT / "build" / "bench-tokens.json"
    target.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
