"""Tests of the demo: what it reads, and that its story ends well."""

from __future__ import annotations

import json
import subprocess  # runs the demo
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent
sys.path.insert(0, str(EXAMPLES))

import demo_input  # noqa: E402  # pylint: disable=wrong-import-position
import demo_show  # noqa: E402  # pylint: disable=wrong-import-position


def bodies(tmp_path: Path, data: bytes) -> list[list[bytes]]:
    """The messages of each conversation of a file with these bytes."""
    path = tmp_path / "input.jsonl"
    path.write_bytes(data)
    return [conversation.messages for conversation in demo_input.read(str(path))]


def test_bodies_are_slices_of_the_input(tmp_path: Path) -> None:
    """White space, escapes and numbers stay as they were written."""
    first = b'{"content" : "a\\u00e9 ]}\\"", "role":"user","n":1e5,"z":-0.0}'
    second = '{ "role":"assistant","content":"急須 🍵","tool_calls":[{"x":[]}]}'.encode()
    for line in (
        b'{ "x": [1,{"messages":2}], "messages" : [ %b ,\t%b ] , "y":[] }\r\n',
        b'{"traj":[%b,%b]}',
        b" [%b , %b ] ",
        b"%b \n\n\t%b\n",
        b"\xef\xbb\xbf[%b,%b]",
    ):
        assert bodies(tmp_path, line % (first, second)) == [[first, second]]


def test_messages_on_lines_of_their_own_belong_together(tmp_path: Path) -> None:
    """Until a line holds a conversation."""
    one, two, three = (b'{"role":"user","content":"%d"}' % n for n in range(3))
    found = bodies(tmp_path, b"\n".join([one, two, b"[" + three + b"]", three, b"[]", one]))
    assert found == [[one, two], [three], [three], [one]]


def test_our_conversation() -> None:
    """One message a line."""
    (conversation,) = demo_input.read(str(EXAMPLES / "conversation.jsonl"))
    lines = (EXAMPLES / "conversation.jsonl").read_bytes().splitlines()
    assert conversation.messages == lines and len(lines) > 25


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no messages"),
        (b'{"messages":[]}', "no messages"),
        (b"hello", "line 1, is not JSON"),
        (b'\n{"role":"user"', "line 2, is not JSON"),
        (b'{\n"messages":[]}', "line 1, is not JSON"),
        (b"\xff", "line 1, is not UTF-8"),
        (b'{"prompt":"x"}', "line 1, is not a conversation"),
        (b'{"messages":"x"}', "is not a conversation"),
        (b"7", "is not a conversation"),
        (b'[{"role":"user"},7]', "message 2 is not"),
        (b'[{"role":7}]', "message 1 is not"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"role":"user","content":"\\ud800"}', "line 1, message 1, was refused"),
        (b'[{"role":"user"},{"role":"user","role":"user"}]', "line 1, message 2, was refused"),
        (b'{"role":"user","content":NaN}', "message 1, was refused"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(tmp_path: Path, data: bytes, words: str) -> None:
    """Whatever is wrong with it."""
    path = tmp_path / "bad.jsonl"
    path.write_bytes(data)
    check_refused(str(path), words)


def test_a_missing_file_is_one_sentence_and_status_2(tmp_path: Path) -> None:
    """Or a folder."""
    check_refused(str(tmp_path / "nothing.jsonl"), "There is no file")
    check_refused(str(tmp_path), "cannot be read")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The demo, in a process of its own."""
    return subprocess.run(
        [sys.executable, str(EXAMPLES / "demo.py"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=120,
        env=None,
    )


def check_refused(path: str, words: str) -> None:
    """The demo says so in one line."""
    done = run("--input", path)
    assert done.returncode == 2, done.stderr
    assert (
        words in done.stderr and done.stderr.count("\n") == 1 and done.stderr.startswith("error: ")
    )


def test_the_story_ends_well(tmp_path: Path) -> None:
    """Nothing lost, all bodies as they were, no colours without a terminal."""
    done = run()
    assert done.returncode == 0, done.stderr
    assert "0 lost" in done.stdout and "ended by SIGKILL" in done.stdout
    assert "31 of 31 bodies of 1 conversation came back byte for byte" in done.stdout
    assert "\x1b" not in done.stdout  # this is no terminal
    short = tmp_path / "short.jsonl"
    short.write_text('{"role":"user","content":"hi"}')
    done = run("--input", str(short))
    assert done.returncode == 0, done.stderr
    assert "1 of 1 bodies" in done.stdout


CONTROLS = "".join(
    map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x61C, 0x1B, 7, 0x9B])
)


def test_nothing_steers_the_terminal(tmp_path: Path) -> None:
    """What would turn text around or move the cursor is shown as an escape."""
    body = {"role": "user\u202e", "content": f"pay {CONTROLS} now", "name": "\u2066"}
    call = {"function": {"name": "f\u202e", "arguments": CONTROLS}, "type": "function", "id": "c"}
    path = tmp_path / "in\u202eput.jsonl"
    lines = [body, {"role": "assistant", "tool_calls": [call]}, {"role": "user", "content": "x"}]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    done = run("--input", str(path))
    assert done.returncode == 0, done.stderr
    bad = run("--input", str(tmp_path / "no\u202e"))
    for text in (done.stdout, bad.stderr):
        assert not set(CONTROLS) & set(text)
        assert "\\u202e" in text
    assert "\\x1b\\x07\\x9b" in done.stdout.replace("\n", "").replace(" ", "")
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert demo_show.visible(family) == family  # one picture of several characters


@pytest.mark.parametrize("room", [20, 40, 70])
def test_a_long_word_begins_where_the_text_ends(room: int) -> None:
    """The arguments of a call are one word without a blank."""
    arguments = json.dumps({"passengers": ["Ada"] * 9}, separators=(",", ":"))
    lines = list(demo_show._paragraph(f"-> book({arguments})", room))
    assert "".join(lines) == f"-> book({arguments})" and len(lines[0]) == room
    assert max(map(demo_show.columns, lines)) <= room
    text = "word " * 30 + "x" * 200 + " " + "\u6025" * 90 + " end"
    lines = list(demo_show._paragraph(text, room))
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert max(map(demo_show.columns, lines)) <= room
    assert not list(demo_show._paragraph("  ", room))


def test_a_system_prompt_that_is_most_of_it(tmp_path: Path) -> None:
    """The window has room for what must stay, unless its budget was named."""
    path = tmp_path / "long.jsonl"
    lines = [{"role": "system", "content": "Be nice. " * 500}, {"role": "user", "content": "Hi"}]
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    done = run("--input", str(path))
    assert done.returncode == 0, done.stderr
    done = run("--input", str(path), "--max-tokens", "100")
    assert done.returncode == 2 and "tokens must stay" in done.stderr
    assert done.stderr.count("\n") == 1
