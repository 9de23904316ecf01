"""The counts of requests against what was billed for them.

    python3 Benchmarks/message_tokens.py [-v]

Counts every request that recorded_usage.py finds and prints a table by feature; -v lists the
misses. A third of the requests, chosen by a hash, was kept aside while the rules were made, and is
told apart.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import recorded_usage  # noqa: E402

import token_environment  # noqa: E402

Exchange = dict[str, Any]
_NEWER = ("claude-opus-4-7", "claude-opus-4-8", "claude-opus-5", "claude-sonnet-5")
_OLD = ("gpt-3.5", "gpt-35", "gpt-4-")


class Counter:
    """The counter of this library."""

    def __init__(self) -> None:
        token_environment.use_package()
        # pylint: disable=import-outside-toplevel
        from memexllm import errors, tokens
        from memexllm._calls import call_number
        from memexllm._lib import lib

        self._open, self._call, self._error = tokens.Tokenizer, call_number, errors.MemexError
        self._function = lib.memex_tokenizer_count_messages
        self._tokenizers: dict[str, Any] = {}

    def count(self, tokenizer: str, model: str, request: Any) -> int:
        """Tokens of a request; -1 when it is refused."""
        if tokenizer not in self._tokenizers:
            self._tokenizers[tokenizer] = self._open(encoding=tokenizer)
        whole = {**request, "model": model}
        raw = json.dumps(whole, ensure_ascii=False).encode("utf-8", "replace")
        try:
            return self._call(self._function, self._tokenizers[tokenizer].handle, raw, len(raw))
        except self._error:
            return -1


def tokenizer_of(exchange: Exchange) -> str:
    """What to count with."""
    if exchange["dialect"] == "anthropic":
        return "estimate:claude-4.7" if exchange["model"].startswith(_NEWER) else "estimate:claude"
    if exchange["dialect"] == "gemini":
        return "estimate:gemini"
    model = exchange["model"].removeprefix("openai/")
    return "cl100k_base" if model.startswith(_OLD) or model == "gpt-4" else "o200k_base"


def within(exchange: Exchange, error: int) -> bool:
    """Whether an error is at most 1 % or 3 tokens."""
    return abs(error) <= max(exchange["billed"] / 100, 3)


def row(name: str, results: list[tuple[Exchange, int]]) -> str:
    """A line of the table."""
    errors = [abs(error) for _, error in results]
    shares = sorted(abs(error) / exchange["billed"] for exchange, error in results)
    good = sum(within(exchange, error) for exchange, error in results)
    worst = max(results, key=lambda result: abs(result[1]) / result[0]["billed"])
    return (
        f"| {name} | {len(results)} | {errors.count(0)} | {sum(e <= 3 for e in errors)} | {good} |"
        f" {100 * shares[len(shares) // 2]:.1f} % | {100 * shares[len(shares) * 9 // 10]:.1f} % |"
        f" {100 * shares[-1]:.0f} % ({worst[1]:+d} of {worst[0]['billed']}) |"
    )


def table(title: str, results: list[tuple[Exchange, int]], key: Any) -> None:
    """Prints the rows of a group."""
    groups = defaultdict(list)
    for exchange, error in results:
        groups[key(exchange)].append((exchange, error))
    print(f"\n| {title} | exchanges | exact | within 3 | within 1 % or 3 | median | p90 | worst |")
    print("|---|---|---|---|---|---|---|---|")
    for name in sorted(groups):
        print(row(name, groups[name]))


def main() -> int:
    """Prints the tables."""
    counter = Counter()
    results: dict[str, list[tuple[Exchange, int]]] = defaultdict(list)
    for exchange in recorded_usage.unique():
        count = counter.count(tokenizer_of(exchange), exchange["model"], exchange["request"])
        group = exchange["dialect"]
        if group == "openai" and not recorded_usage.is_openai(exchange):
            group = "others"
        results[group].append((exchange, count - exchange["billed"]))
    for group in ("openai", "anthropic", "gemini"):
        for kept in (False, True):
            part = [result for result in results[group] if result[0]["kept"] == kept]
            table(f"{group}, {'kept aside' if kept else 'fitted'}", part, recorded_usage.feature)
            judged = [result for result in part if recorded_usage.is_judged(result[0])]
            print(row("**all but media and server tools**", judged))
            if "-v" in sys.argv:
                for exchange, error in part:
                    if not within(exchange, error):
                        place = exchange["source"].split("/")[-1]
                        print(
                            "   ",
                            exchange["model"],
                            error,
                            exchange["billed"],
                            recorded_usage.feature(exchange),
                            place,
                        )
    table(
        "not OpenAI's models, o200k_base", results["others"], lambda exchange: exchange["provider"]
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
