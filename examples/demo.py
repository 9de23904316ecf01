"""Keeps conversations in a SQLite file, is killed half-way, and shows that nothing was lost.

    make demo                        a conversation of ours
    make demo INPUT=file.jsonl       yours, in OpenAI's chat format, one JSON value a line

What happens: a process appends message after message and is ended by SIGKILL half-way; the file is
opened again and everything that was acknowledged is there; a second process goes on; a C program
appends to the same file; every body is compared with the input, byte for byte; a window of a token
budget is built. The file stays under build/demo.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess  # nosec B404: runs itself, the C compiler and what it compiled
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import demo_show as show
from demo_input import BadInput, Conversation, read

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "python" / "src"))
FOLDER = ROOT / "build" / "demo"
TRANSCRIPT_MOST = 36


def thread_id(number: int) -> str:
    """The thread that holds a conversation of the input."""
    return f"conversation-{number + 1}"


def url() -> str:
    """Where the demo keeps its conversations."""
    return f"sqlite:///{FOLDER / 'chat.db'}"


# --- the process that is killed -------------------------------------------------------------------


def writer(path: str, starts: str) -> int:
    """Appends what comes after ``starts`` of each conversation, one message for each byte on stdin.

    Prints a line for each acknowledged append: conversation, place, microseconds, duplicate.
    """
    import memexllm  # pylint: disable=import-outside-toplevel

    begin: dict[str, int] = json.loads(starts)
    with memexllm.open(url()) as store:
        for number, conversation in enumerate(read(path)):
            thread = None
            for place in range(begin.get(str(number), 0), len(conversation.messages)):
                if not os.read(0, 1):
                    return 0
                try:
                    if thread is None:
                        thread = _open(memexllm, store, number, conversation)
                    started = time.perf_counter()
                    receipt = thread.append(
                        conversation.messages[place], idempotency_key=f"message-{place + 1}"
                    )
                    took = (time.perf_counter() - started) * 1e6
                except memexllm.MemexError as error:
                    print(f"! {number} {place} {error}", flush=True)
                    return 3
                print(number, place, f"{took:.1f}", int(receipt.duplicate), flush=True)
        os.read(0, 1)  # a process that is to be killed lives until then
    return 0


def _open(memexllm: Any, store: Any, number: int, conversation: Conversation) -> Any:
    try:
        return store.threads.open(thread_id(number))
    except memexllm.errors.NotFoundError:
        return store.threads.create(
            id=thread_id(number), title=conversation.title, metadata={"input": number + 1}
        )


# --- the story ------------------------------------------------------------------------------------


@dataclass
class Run:
    """What the demo learned on its way."""

    conversations: list[Conversation]
    path: str
    acknowledged: dict[int, int] = field(default_factory=dict)  # messages of each conversation
    times: list[float] = field(default_factory=list)
    duplicates: int = 0
    reopened_us: float = 0.0
    c_us: float = 0.0
    c_messages: list[int] = field(default_factory=list)
    read_us: float = 0.0
    window_us: float = 0.0

    @property
    def total(self) -> int:
        """Messages of the input."""
        return sum(len(conversation.messages) for conversation in self.conversations)

    @property
    def done(self) -> int:
        """Messages that were acknowledged."""
        return sum(self.acknowledged.values())


def write(run: Run, kill_at: int | None) -> int | None:
    """Runs the writer; kills it once so many are acknowledged, and then returns its process id."""
    child = subprocess.Popen(  # nosec B603
        [sys.executable, __file__, "--writer", run.path, json.dumps(run.acknowledged)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    if child.stdin is None or child.stdout is None:
        raise OSError("no pipes")
    left = run.total - run.done
    # A few more than it will live to see: it dies at work, not while it waits.
    child.stdin.write("." * (left if kill_at is None else min(left, kill_at - run.done + 3)))
    child.stdin.flush()
    if kill_at is None:
        child.stdin.close()
    progress = show.Progress("appending", run.total)
    killed = None
    for line in child.stdout:
        if line.startswith("!"):
            _, refused, at, reason = line.split(" ", 3)
            conversation = run.conversations[int(refused)]
            child.wait()
            progress.clear()
            raise BadInput(
                f"{Path(run.path).name}, line {conversation.lines[int(at)]}, message"
                f" {int(at) + 1}, was refused: {reason.strip()}"
            )
        fields = line.split()
        if len(fields) != 4 or not line.endswith("\n"):
            continue  # cut by the kill
        number, place = int(fields[0]), int(fields[1])
        run.acknowledged[number] = place + 1
        run.times.append(float(fields[2]))
        run.duplicates += int(fields[3])
        progress.show(run.done)
        if kill_at is not None and killed is None and run.done >= kill_at:
            os.kill(child.pid, signal.SIGKILL)
            killed = child.pid
    status = child.wait()
    child.stdin.close()
    progress.clear()
    if status != (0 if killed is None else -signal.SIGKILL):
        raise OSError(f"the writing process ended with {status}")
    return killed


def compare(run: Run, store: Any, acknowledged_only: bool) -> tuple[int, int]:
    """How many messages are there byte for byte, and how many were due."""
    good = due = 0
    progress = show.Progress("comparing", run.total)
    for number, conversation in enumerate(run.conversations):
        wanted = conversation.messages
        if acknowledged_only:
            wanted = wanted[: run.acknowledged.get(number, 0)]
        due += len(wanted)
        if not wanted:
            continue
        thread = store.threads.open(thread_id(number))
        for message in thread.messages():
            place = message.seq - 1
            good += place < len(wanted) and message.raw == wanted[place]
        progress.show(due)
    progress.clear()
    return good, due


def append_from_c(run: Run) -> None:
    """Compiles examples/demo_append.c and lets it append to the first conversation."""
    compiler = os.environ.get("CC", "cc")
    if not shutil.which(compiler):
        raise OSError(f"no C compiler: {compiler} is not there")
    library = Path(os.environ.get("MEMEX_LIBRARY") or ROOT / "dist" / "libmemex.so.0").resolve()
    program = FOLDER / "demo_append"
    subprocess.run(  # nosec B603
        [
            compiler,
            "-std=c99",
            "-O1",
            f"-I{ROOT / 'include'}",
            str(ROOT / "examples" / "demo_append.c"),
            str(library),
            f"-Wl,-rpath,{library.parent}",
            "-o",
            str(program),
        ],
        check=True,
    )
    answer = subprocess.run(  # nosec B603
        [str(program), json.dumps({"url": url()}), thread_id(0)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.split()
    run.c_messages = [int(answer[0]), int(answer[1])]
    run.c_us = float(answer[2])


def keep(run: Run, memexllm: Any) -> bool:
    """Everything up to the comparison of all bodies; False when something was lost."""
    show.heading("Keeping it", os.path.relpath(FOLDER / "chat.db"))
    half = max(1, run.total // 2)
    pid = write(run, half)
    show.step(
        f"a Python process appended {run.done:,} of {run.total:,} messages, each of them synced to"
        f" disk; then process {pid} was ended by SIGKILL"
    )
    started = time.perf_counter()
    with memexllm.open(url()) as store:
        run.reopened_us = (time.perf_counter() - started) * 1e6
        good, due = compare(run, store, acknowledged_only=True)
    lost = due - good
    show.step(
        f"opened again in {show.span(run.reopened_us)}: {good:,} of {due:,} acknowledged messages"
        f" are there, {lost} lost",
        lost == 0,
    )
    write(run, None)
    text = f"another process appended the rest: {run.done:,} of {run.total:,}"
    if run.duplicates:
        one = run.duplicates == 1
        text += (
            f"; {run.duplicates} that {'was' if one else 'were'} stored but not acknowledged before"
            f" the kill {'was' if one else 'were'} not stored twice, thanks to"
            f" {'its key' if one else 'their keys'}"
        )
    show.step(text)
    append_from_c(run)
    show.step(
        f"a C program appended messages {run.c_messages[0]} and {run.c_messages[1]} to the same"
        f" thread of the same file"
    )
    with memexllm.open(url()) as store:
        started = time.perf_counter()
        good, due = compare(run, store, acknowledged_only=False)
        run.read_us = (time.perf_counter() - started) * 1e6
    count = len(run.conversations)
    show.step(
        f"{good:,} of {due:,} bodies of {count:,} conversation{'s' if count > 1 else ''} came back"
        f" byte for byte ({show.size(sum(c.size for c in run.conversations))})",
        good == due,
    )
    return lost == 0 and good == due


Entry = tuple[bool, int, int, str, "int | None"]


def window_entries(
    kept: Sequence[Mapping[str, Any]], left_out: Sequence[Mapping[str, Any]]
) -> list[Entry]:
    """Kept and left-out messages in order, neighbours with the same fate joined."""
    single: list[Entry] = [(True, k["seq"], k["seq"], k["reason"], k.get("tokens")) for k in kept]
    for out in left_out:
        first = out["seq"] if "seq" in out else out["from_seq"]
        last = out["seq"] if "seq" in out else out["to_seq"]
        single.append((False, first, last, out.get("detail") or out["reason"], out.get("tokens")))
    joined: list[Entry] = []
    for entry in sorted(single, key=lambda e: e[1]):
        before = joined[-1] if joined else None
        if before and before[0] == entry[0] and before[3] == entry[3]:
            tokens = None if None in (before[4], entry[4]) else (before[4] or 0) + (entry[4] or 0)
            joined[-1] = (entry[0], before[1], entry[2], entry[3], tokens)
        else:
            joined.append(entry)
    return joined


def enough(thread: Any, memexllm: Any) -> int:
    """A budget for about half of a conversation, and for all that must stay."""
    whole: int = thread.context().tokens
    try:
        thread.context(max_tokens=1)
    except memexllm.errors.LimitError as error:
        least: int = error.details["needed"]
    else:
        least = 0
    half = max(100, whole * 45 // 100 // 50 * 50)
    return half if least < half else least + (whole - least) // 2


def tell(run: Run, memexllm: Any, budget: int | None) -> None:
    """Transcript, window and figures."""
    with memexllm.open(url()) as store:
        thread = store.threads.open(thread_id(0))
        messages = list(thread.messages())
        one_of = f"1 of {len(run.conversations):,}, " if len(run.conversations) > 1 else ""
        show.heading("The conversation", f"{one_of}{len(messages)} messages")
        show.transcript(((m.seq, m.body) for m in messages), len(messages), TRANSCRIPT_MOST)

        limit = budget or enough(thread, memexllm)
        started = time.perf_counter()
        try:
            window = thread.context(max_tokens=limit)
        except memexllm.errors.LimitError as error:
            needed = error.details["needed"]
            raise BadInput(f"{needed:,} tokens must stay; --max-tokens is {limit:,}.") from None
        run.window_us = (time.perf_counter() - started) * 1e6
        show.heading(
            "What the model sees",
            f"{window.tokens:,} of at most {limit:,} tokens ({window.tokenizer})",
        )
        gauge = show.gauge(window.tokens / limit, show.WIDTH - 40)
        show.say(f"     {gauge}  {len(window.messages)} of {window.message_count} messages")
        show.say()
        show.window(window_entries(window.kept, window.left_out))
        stats = store.stats()
    # Closed: what the log held is in the file now.
    file_size = sum(file.stat().st_size for file in FOLDER.glob("chat.db*"))
    size = sum(conversation.size for conversation in run.conversations)
    times = sorted(run.times)
    count = len(run.conversations)
    show.heading("Figures", f"Python {platform.python_version()}, SQLite {stats['sqlite_version']}")
    show.figures(
        [
            (
                "messages",
                f"{run.total + 2:,}",
                f"in {count:,} thread{'s' if count > 1 else ''}, 2 from C",
            ),
            ("their bytes", show.size(size), f"{size / run.total:,.0f} each"),
            (
                "an append from Python",
                show.span(statistics.median(times)),
                f"median; 99 of 100 within {show.span(times[len(times) * 99 // 100])}; each synced",
            ),
            ("an append from C", show.span(run.c_us), "mean of two, the first ones of its process"),
            ("opened after the kill", show.span(run.reopened_us), "recovery included"),
            ("read and compared", show.span(run.read_us), f"{run.total:,} messages"),
            ("the window", show.span(run.window_us), f"{window.tokens:,} tokens"),
            (
                "the file",
                show.size(file_size),
                f"{file_size / size:.2f} {show.glyph('times')} the bodies",
            ),
        ]
    )
    show.say()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--input", default=str(ROOT / "examples" / "conversation.jsonl"))
    parser.add_argument("--max-tokens", type=int, help="budget of the window")
    parser.add_argument("--writer", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.writer:
        return writer(*arguments.writer)
    try:
        run = Run(read(arguments.input), str(Path(arguments.input).resolve()))
        import memexllm  # pylint: disable=import-outside-toplevel

        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        good = keep(run, memexllm)
        tell(run, memexllm, arguments.max_tokens)
    except BadInput as error:
        print(f"error: {show.visible(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read this has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ImportError, OSError, subprocess.CalledProcessError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
