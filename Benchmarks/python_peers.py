"""Stores of conversations as Python programs use them, on the same work.

    python_peers.py append KIND DB COUNT THREADS RUN   CPU of one durable append
    python_peers.py load DB FILL                       last 50 and all as dicts: ours, and by turns
                                                       the least that dicts from packed bytes cost
    python_peers.py concurrent DB WRITERS EACH         ours: Python threads, each with its thread
    python_peers.py import TIMES                       processes that import ours, and bare ones

KIND: ours (dicts), ours_text (role and text), sqlite3 (by hand), agents (openai-agents'
SQLiteSession). Each prints one JSON object; what was stored is read again and compared, a
difference ends with status 4.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import sqlite3
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from typing import Any, Callable, Iterable

import data

Message = dict[str, Any]
now = time.perf_counter


def differs(what: str) -> None:
    """Ends the program: a figure of a store that loses or changes messages is no figure."""
    print(what, file=sys.stderr)
    sys.exit(4)


class Store:
    """What a contestant has to do."""

    def __init__(self, path: str) -> None:
        self.path = path

    def prepare(self, threads: int) -> None:
        """Creates threads 0 to threads - 1."""

    def append(self, pairs: Iterable[tuple[int, Message]]) -> None:
        """Appends each message durably to its thread, one after another."""
        raise NotImplementedError

    def read(self, thread: int) -> list[Message]:
        """The messages of a thread."""
        raise NotImplementedError


class Ours(Store):
    """memexllm, messages given as dicts."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        import memexllm

        self.store = memexllm.open(f"sqlite:///{path}")
        self.threads: list[Any] = []

    def prepare(self, threads: int) -> None:
        self.threads = [self.store.threads.create(title=f"t{i}") for i in range(threads)]

    def append(self, pairs: Iterable[tuple[int, Message]]) -> None:
        threads = self.threads
        for thread, message in pairs:
            threads[thread].append(message)

    def read(self, thread: int) -> list[Message]:
        return list(self.threads[thread].bodies())


class OursText(Ours):
    """memexllm, role and text."""

    def append(self, pairs: Iterable[tuple[int, Message]]) -> None:
        threads = self.threads
        for thread, message in pairs:
            threads[thread].append(message["role"], message["content"])


class ByHand(Store):
    """Python's sqlite3 as one writes it by hand: WAL, synchronous FULL, a transaction a message."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.db = sqlite3.connect(path, isolation_level=None, timeout=60, check_same_thread=False)
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.executescript("""
            CREATE TABLE IF NOT EXISTS threads(id INTEGER PRIMARY KEY, name TEXT UNIQUE,
              next_seq INTEGER NOT NULL DEFAULT 0, created_at INTEGER, updated_at INTEGER,
              metadata TEXT);
            CREATE TABLE IF NOT EXISTS messages(id INTEGER PRIMARY KEY, thread_id INTEGER NOT NULL,
              seq INTEGER NOT NULL, role TEXT NOT NULL, content TEXT, metadata TEXT,
              created_at INTEGER, tokens INTEGER);
            CREATE UNIQUE INDEX IF NOT EXISTS message_order ON messages(thread_id, seq);
            """)

    def prepare(self, threads: int) -> None:
        at = time.time_ns() // 1000
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(
            "INSERT INTO threads(name, created_at, updated_at, metadata) VALUES(?, ?, ?, '{}')",
            [(f"t{i}", at, at) for i in range(threads)],
        )
        self.db.execute("COMMIT")

    def append(self, pairs: Iterable[tuple[int, Message]]) -> None:
        execute = self.db.execute
        for thread, message in pairs:
            at = time.time_ns() // 1000
            execute("BEGIN IMMEDIATE")
            row, seq = execute(
                "SELECT id, next_seq FROM threads WHERE name = ?", (f"t{thread}",)
            ).fetchone()
            execute(
                "UPDATE threads SET next_seq = ?, updated_at = ? WHERE id = ?", (seq + 1, at, row)
            )
            execute(
                "INSERT INTO messages(thread_id, seq, role, content, metadata, created_at, tokens)"
                " VALUES(?, ?, ?, ?, ?, ?, ?)",
                (
                    row,
                    seq,
                    message["role"],
                    message["content"],
                    data.extra(message),
                    at,
                    data.tokens(message),
                ),
            )
            execute("COMMIT")

    def read(self, thread: int) -> list[Message]:
        rows = self.db.execute(
            "SELECT role, content, metadata FROM messages WHERE thread_id ="
            " (SELECT id FROM threads WHERE name = ?) ORDER BY seq",
            (f"t{thread}",),
        )
        return [{"role": role, "content": text, **json.loads(rest)} for role, text, rest in rows]


class Agents(Store):
    """openai-agents' SQLiteSession, inside one event loop as its users run it."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        from agents import SQLiteSession

        self.kind = SQLiteSession
        self.sessions: list[Any] = []
        self.loop = asyncio.new_event_loop()

    def prepare(self, threads: int) -> None:
        self.sessions = [self.kind(f"t{i}", self.path) for i in range(threads)]

    def append(self, pairs: Iterable[tuple[int, Message]]) -> None:
        async def run() -> None:
            for thread, message in pairs:
                await self.sessions[thread].add_items([message])

        self.loop.run_until_complete(run())

    def read(self, thread: int) -> list[Message]:
        return list(self.loop.run_until_complete(self.sessions[thread].get_items()))


KINDS: dict[str, Callable[[str], Store]] = {
    "ours": Ours,
    "ours_text": OursText,
    "sqlite3": ByHand,
    "agents": Agents,
}


def supply(count: int) -> list[Message]:
    """The first messages of the endless supply."""
    pool = data.generate()
    return [data.numbered(pool, i) for i in range(count)]


def append(kind: str, path: str, count: int, threads: int, run: int) -> dict[str, float]:
    """CPU of one append; the threads exist, each with a message in it."""
    messages = supply(count)
    pairs = [(i // run % threads, message) for i, message in enumerate(messages)]
    store = KINDS[kind](path)
    store.prepare(threads)
    first = {"role": "system", "content": "start"}
    store.append((i, first) for i in range(threads))
    used, took = time.process_time(), now()
    store.append(pairs)
    used, took = time.process_time() - used, now() - took
    wanted: list[list[Message]] = [[first] for _ in range(threads)]
    for thread, message in pairs:
        if kind == "ours_text":
            message = {"role": message["role"], "content": message["content"]}
        wanted[thread].append(message)
    for thread in range(threads):
        if store.read(thread) != wanted[thread]:
            differs(f"{kind}: thread {thread} came back other than it was given")
    return {"n": count, "cpu_us": used / count * 1e6, "wall_us": took / count * 1e6}


def timed(functions: list[Callable[[], Any]], times: int) -> list[float]:
    """Median seconds of a call of each; they take turns."""
    took: list[list[float]] = [[] for _ in functions]
    for _ in range(times):
        for function, into in zip(functions, took):
            start = now()
            function()
            into.append(now() - start)
    return [statistics.median(times) for times in took]


ROLES = ("system", "user", "assistant", "tool")


HEAD = struct.Struct("<BII")


def packed(messages: list[Message]) -> ctypes.Array[ctypes.c_char]:
    """Messages in memory as a store in C has them: role, lengths, content, the rest as JSON."""
    out = bytearray()
    for message in messages:
        text = message["content"].encode()
        rest = data.extra(message).encode() if len(message) > 2 else b""
        out += HEAD.pack(ROLES.index(message["role"]), len(text), len(rest)) + text + rest
    return ctypes.create_string_buffer(bytes(out), len(out))


def unpacked(buffer: ctypes.Array[ctypes.c_char]) -> list[Message]:
    """Copies them into Python and makes dicts."""
    page = ctypes.string_at(ctypes.addressof(buffer), len(buffer))
    at, size, out, unpack = 0, len(page), [], HEAD.unpack_from
    while at < size:
        role, text, rest = unpack(page, at)
        at += 9
        message: Message = {"role": ROLES[role], "content": page[at : at + text].decode()}
        at += text
        if rest:
            message.update(json.loads(page[at : at + rest]))
            at += rest
        out.append(message)
    return out


def load(path: str, fill: int) -> dict[str, float]:
    """The last 50 and the whole thread as dicts: ours, and decoding alone."""
    messages = supply(fill)
    store = Ours(path)
    store.prepare(1)
    thread = store.threads[0]
    for start in range(0, fill, 1000):
        thread.append(messages[start : start + 1000])
    tail, whole = packed(messages[-50:]), packed(messages)
    if thread.bodies(last=50) != messages[-50:] or thread.bodies() != messages:
        differs("ours: messages came back other than they were given")
    if unpacked(whole) != messages:
        differs("decoding: messages differ")
    tails = timed([lambda: thread.bodies(last=50), lambda: unpacked(tail)], 2000)
    alls = timed([thread.bodies, lambda: unpacked(whole)], 21)
    return {
        "tail_us": tails[0] * 1e6,
        "decode_tail_us": tails[1] * 1e6,
        "all_ms": alls[0] * 1e3,
        "decode_all_ms": alls[1] * 1e3,
    }


def concurrent(path: str, writers: int, each: int) -> dict[str, float]:
    """Ours: Python threads that append at once, each to a thread of its own."""
    pool = [m for m in data.generate() if len(m) == 2]
    store = Ours(path)
    store.prepare(writers)
    work = [
        [{**pool[(w * each + i) % len(pool)], "content": f"w{w}:{i}"} for i in range(each)]
        for w in range(writers)
    ]
    for part in work:
        for i, message in enumerate(part):
            message["content"] += " " + pool[i % len(pool)]["content"]
    failures: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            append_one = store.threads[writer].append
            for message in work[writer]:
                append_one(message)
        except BaseException as error:  # noqa: B902
            failures.append(error)

    threads = [threading.Thread(target=write, args=(w,)) for w in range(writers)]
    start = now()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = now() - start
    if failures:
        raise failures[0]
    for writer in range(writers):
        found = store.threads[writer].messages()
        if [m.body for m in found] != work[writer]:
            differs(f"writer {writer}: messages lost, out of order or changed")
        if [m.seq for m in found] != list(range(1, each + 1)):
            differs(f"writer {writer}: seqs are not dense")
    return {"n": writers * each, "rate": writers * each / took}


def imports(times: int) -> dict[str, float]:
    """Milliseconds of whole processes, by turns: bare, and with the import."""
    took: dict[str, list[float]] = {"pass": [], "import memexllm": []}
    with tempfile.TemporaryDirectory() as cache:
        # Compiled once, as installing a wheel does.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for turn in range(times + 1):
            for program, into in took.items():
                start = now()
                subprocess.run([sys.executable, "-c", program], check=True, env=environment)
                if turn > 0:
                    into.append((now() - start) * 1e3)
    bare, whole = (statistics.median(times) for times in took.values())
    return {"bare_ms": bare, "import_ms": whole - bare}


def main() -> None:
    """Runs one command."""
    core = os.environ.get("BENCH_CORE")
    if core:
        os.sched_setaffinity(0, {int(core)})
    commands: dict[str, Callable[..., dict[str, float]]] = {
        "append": append,
        "load": load,
        "concurrent": concurrent,
        "import": imports,
    }
    words = [int(word) if word.isdigit() else word for word in sys.argv[2:]]
    print(json.dumps(commands[sys.argv[1]](*words)))


if __name__ == "__main__":
    main()
