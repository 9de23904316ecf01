"""Deterministic conversations for the benchmarks.

About 415 bytes a message as JSON, 15 % with text that is not ASCII, one turn in five with a tool
call and its result. The same seed gives the same bytes on every machine and Python version: only
`random.Random.random()` is used, whose sequence Python guarantees.

    python3 data.py FOLDER [COUNT]     writes FOLDER/chat.bin, which the C programs read
"""

from __future__ import annotations

import json
import random
import struct
import sys
from bisect import bisect
from itertools import accumulate
from pathlib import Path
from typing import Any

Message = dict[str, Any]

COUNT = 10_000
THREADS = 100
MAGIC = b"MXBENCH1"

WORDS = """
a about account add after again all also an and answer any are as ask at back be because before
between book but by call can change check code come context could customer data day delay delivery
did do does done each email end error even every example file find first flight for found from get
give go good had has have help here how if in index into invoice is it its item just keep know
last later let like line list long look made make many may me message model more most much my name
need new next no not note now number of on once one only open or order other our out over part pay
people place please price problem query question read reason refund reply request result return
right run said same say see seat send service set should show size so some start state still stop
store street such sure system table take tell text than thank that the their them then there these
they thing think this ticket time to today token too try two under until up update use user value
very wait want was water way we week well were what when where which while who why will window
with word work would write year yes yesterday you your
""".split()

# Text in other scripts, from short to long: two to four bytes a character.
OTHERS = [
    "d\u00e9j\u00e0 r\u00e9serv\u00e9",
    "\u00fcber die Stra\u00dfe",
    "\u00bfcu\u00e1nto cuesta?",
    "\u0433\u0434\u0435 \u043c\u043e\u0439 \u0437\u0430\u043a\u0430\u0437",
    "\u03c0\u03cc\u03c4\u03b5 \u03c6\u03c4\u03ac\u03bd\u03b5\u03b9",
    "\u8ba2\u5355\u5728\u54ea\u91cc",
    "\u6ce8\u6587\u3092\u78ba\u8a8d",
    "\uc8fc\ubb38 \ud655\uc778",
    "\u0623\u064a\u0646 \u0637\u0644\u0628\u064a",
    "\u0915\u0939\u093e\u0901 \u0939\u0948",
    "\U0001f600\U0001f680\u2705",
    "\U0001f469\u200d\U0001f4bb",
]

TOOLS = ["find_order", "list_flights", "search_help"]


class Writer:
    """Writes text of a wanted size from a vocabulary in which common words are common."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._words = WORDS + [self._invent() for _ in range(6000)]
        self._weights = list(accumulate(1 / (rank + 4) for rank in range(len(self._words))))

    def chance(self, share: float) -> bool:
        """Whether something happens that happens in `share` of all cases."""
        return self._random.random() < share

    def integer(self, low: int, high: int) -> int:
        """An integer from low to high."""
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, choices: list[str]) -> str:
        """One of the choices, each as likely."""
        return choices[self.integer(0, len(choices) - 1)]

    def _invent(self) -> str:
        return "".join(
            self.pick(list("bcdfghklmnprstvw")) + self.pick(["a", "e", "i", "o", "u", "ea", "oo"])
            for _ in range(self.integer(2, 4))
        )

    def words(self, count: int) -> list[str]:
        """Words, common ones more often."""
        top = self._weights[-1]
        return [
            self._words[bisect(self._weights, self._random.random() * top)] for _ in range(count)
        ]

    def text(self) -> str:
        """A written message of 200 to 600 bytes."""
        size, wanted = 0, self.integer(200, 600)
        foreign = self.integer(3, 14) if self.chance(0.18) else -1
        parts: list[str] = []
        while size < wanted:
            word = self.words(1)[0]
            position = len(parts)
            if position == foreign:
                word = " ".join(self.pick(OTHERS) for _ in range(self.integer(1, 3)))
            elif self.chance(0.03):
                word = str(self.integer(0, 99_999))
            if position % 12 == 11:
                word += "."
            elif position % 8 == 6:
                word += ","
            if position % 30 == 29:
                word += "\n"
            parts.append(word)
            size += len(word.encode()) + 1
        return " ".join(parts)

    def tool_pair(self) -> list[Message]:
        """A tool call and its result."""
        identifier = "call_" + "".join(self.pick(list("0123456789abcdef")) for _ in range(24))
        arguments = {"query": " ".join(self.words(18)), "limit": self.integer(1, 50)}
        rows = [
            {"id": self.integer(1, 999_999), "text": " ".join(self.words(10))} for _ in range(3)
        ]
        call = {
            "id": identifier,
            "type": "function",
            "function": {"name": self.pick(TOOLS), "arguments": json.dumps(arguments)},
        }
        return [
            {"role": "assistant", "content": "", "tool_calls": [call]},
            {"role": "tool", "content": json.dumps({"rows": rows}), "tool_call_id": identifier},
        ]


def generate(count: int = COUNT, seed: int = 20) -> list[Message]:
    """`count` messages of one conversation in OpenAI's chat form."""
    writer = Writer(seed)
    out: list[Message] = [
        {"role": "system", "content": "You help customers. " + " ".join(writer.words(40))}
    ]
    while len(out) < count:
        out.append({"role": "user", "content": writer.text()})
        if writer.chance(0.2):
            out += writer.tool_pair()
        out.append({"role": "assistant", "content": writer.text()})
    return out[:count]


def numbered(pool: list[Message], index: int) -> Message:
    """Message `index` of an endless supply: beyond the pool it repeats, told apart by a suffix.

    The system message does not repeat.
    """
    if index < len(pool):
        return pool[index]
    message = pool[1 + (index - 1) % (len(pool) - 1)]
    return {**message, "content": f"{message['content']} #{index}"}


def body(message: Message) -> bytes:
    """The message as the JSON that clients send: compact, UTF-8."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def extra(message: Message) -> str:
    """What a row with columns for role and content keeps beside them, as JSON."""
    return json.dumps({k: v for k, v in message.items() if k not in ("role", "content")})


def tokens(message: Message) -> int:
    """The estimate that a stored count stands for here: four bytes a token."""
    return max(1, (len(str(message["content"]).encode()) + 3) // 4)


def write(path: Path, messages: list[Message]) -> None:
    """The file for the C programs: see bench.h."""
    with path.open("wb") as file:
        file.write(MAGIC + struct.pack("<Q", len(messages)))
        for message in messages:
            content = message["content"]
            whole = body(message)
            quoted = json.dumps(content, ensure_ascii=False).encode()
            at = whole.index(b'"content":' + quoted) + len(b'"content":') + len(quoted) - 1
            parts = [message["role"].encode(), content.encode(), extra(message).encode(), whole]
            file.write(struct.pack("<6I", *map(len, parts), tokens(message), at) + b"".join(parts))


def main() -> None:
    """Writes the data and says what it is."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    messages = generate(int(sys.argv[2]) if len(sys.argv) > 2 else COUNT)
    write(folder / "chat.bin", messages)
    sizes = [len(body(m)) for m in messages]
    foreign = sum(not body(m).isascii() for m in messages)
    calls = sum("tool_calls" in m for m in messages)
    print(
        json.dumps(
            {
                "messages": len(messages),
                "mean_body": round(sum(sizes) / len(sizes), 1),
                "mean_content": round(
                    sum(len(m["content"].encode()) for m in messages) / len(messages), 1
                ),
                "not_ascii": round(foreign / len(messages), 3),
                "tool_calls": calls,
            }
        )
    )


if __name__ == "__main__":
    main()
