"""Rows of the tokenizers: counting, the first count, the worst texts."""

from __future__ import annotations

import sys
from typing import Callable

from contestants import program
from model import HERE, Contestant, Pair, Row, Run, Setting, Task

# Name of the row, what is counted, and the least ratio of the C call to tiktoken.
CORPORA = [
    ("count_chat", "conversations", 9.0),
    ("count_prose", "manuals and licences", 9.0),
    ("count_code", "Python code", 8.5),
    ("count_multilingual", "translations", 4.0),
    ("count_chinese", "Chinese conversations", 6.0),
]
ENCODINGS = [("", "o200k_base"), ("_cl100k", "cl100k_base")]
PYTHON_TARGET = 8.0

Figure = Callable[[dict[str, Run]], Pair]


def _rates(key: str, ours: str, other: str) -> Figure:
    def figure(runs: dict[str, Run]) -> Pair:
        if key not in runs["all"]:  # this machine has no such texts
            return None, None
        rates = runs["all"][key]["MB/s"]
        ratios = runs["all"][key]["to_tiktoken"]
        # The medians of the ratios within a round, as a rate.
        return rates[other] * ratios[ours][0] / ratios[other][0], rates[other]

    return figure


def _note(key: str) -> Callable[[dict[str, Run]], str]:
    def note(runs: dict[str, Run]) -> str:
        row = runs["all"].get(key)
        if row is None:
            return "this machine has no such texts"
        low, high = row["to_tiktoken"]["C"][1:]
        others = (f"{who} {row['to_tiktoken'][who][0]:.1f}" for who in ("gigatoken", "splintr-rs"))
        return f"{low:.1f}-{high:.1f}; to tiktoken: {', '.join(others)}"

    return note


def _counting(setting: Setting, suffix: str, encoding: str) -> list[Task]:
    tasks = []
    for name, what, target in CORPORA:
        key = f"{name} {encoding}"
        command = [sys.executable, str(HERE / "tokens.py"), "--json", "--only", name]
        command += ["--encoding", encoding, "--rounds", str(5 if setting.rounds > 1 else 1)]
        rows = [
            Row(
                f"{name}{suffix}",
                f"counting {what}, {encoding}, C: against tiktoken",
                "MB/s CPU",
                f">= {target:g} x",
                _rates(key, "C", "tiktoken"),
                at_least=target,
                note=_note(key),
            ),
            Row(
                f"{name}{suffix}_gigatoken",
                "the same against gigatoken",
                "MB/s CPU",
                "> 1 x",
                _rates(key, "C", "gigatoken"),
                at_least=1.0,
            ),
        ]
        python = Row(
            f"{name}{suffix}_python",
            "a batch of Python strings, against tiktoken",
            "MB/s CPU",
            "reported",
            _rates(key, "Python", "tiktoken"),
        )
        if name == "count_chat":
            python.target, python.at_least = f">= {PYTHON_TARGET:g} x", PYTHON_TARGET
        tasks.append(Task([Contestant("all", command)], [*rows, python], rounds=1))
    return tasks


def _absolute(  # pylint: disable=too-many-arguments,too-many-positional-arguments
    name: str, what: str, unit: str, key: str, at_most: float | None, at_least: float | None
) -> Row:
    bar = f"<= {at_most:g} {unit}" if at_most is not None else f">= {at_least:g} {unit}"
    return Row(
        name,
        what,
        unit,
        bar,
        lambda runs: (runs["ours"][key], None),
        at_most=at_most,
        at_least=at_least,
        absolute=True,
    )


def _limits(setting: Setting, suffix: str, encoding: str) -> list[Task]:
    first = Contestant("ours", program("token_bench", "first", encoding, "{data}"))
    worst = Contestant("ours", program("token_bench", "worst", encoding))
    hard = f"1 MB that is hard to merge, {encoding}"
    return [
        Task(
            [first],
            [
                _absolute(
                    f"count_first{suffix}", f"first count, {encoding}", "ms", "ms", 2.0, None
                ),
                _absolute(
                    f"count_resident{suffix}",
                    "memory after counting 8 MB",
                    "MB",
                    "resident_mb",
                    8.0,
                    None,
                ),
            ],
            rounds=1 if setting.quick else 7,
        ),
        Task(
            [worst],
            [
                _absolute(f"count_worst{suffix}", hard, "MB/s CPU", "mb_s", None, 5.0),
                _absolute(
                    f"count_worst{suffix}_growth", "2 MB against 1 MB", "x", "ratio", 2.3, None
                ),
                _absolute(
                    f"count_worst{suffix}_memory",
                    "memory it takes, vocabulary included",
                    "MB",
                    "working_mb",
                    16.0,
                    None,
                ),
            ],
            rounds=1 if setting.quick else 3,
        ),
    ]


def token_tasks(setting: Setting) -> list[Task]:
    """Of both large vocabularies."""
    tasks = []
    for suffix, encoding in ENCODINGS:
        tasks += _limits(setting, suffix, encoding)
        if not setting.quick:
            tasks += _counting(setting, suffix, encoding)
    return tasks
