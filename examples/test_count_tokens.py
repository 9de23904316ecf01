"""Tests of count_tokens.py: what it counts, skips, shows and refuses."""

from __future__ import annotations

import json
import subprocess  # runs the example
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent
sys.path.insert(0, str(EXAMPLES))

import count_tokens  # noqa: E402  # pylint: disable=wrong-import-position

from memexllm import tokens  # noqa: E402  # pylint: disable=wrong-import-position


def run(*arguments: object, data: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Runs the example."""
    command = [sys.executable, str(EXAMPLES / "count_tokens.py"), *map(str, arguments)]
    done = subprocess.run(command, input=data, capture_output=True, check=False)
    return subprocess.CompletedProcess(
        command, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    (tmp_path / "a.txt").write_text("Where is my order?", encoding="utf-8")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.md").write_text("日本語 " * 50, encoding="utf-8")
    (tmp_path / "sub" / "empty").write_bytes(b"")
    (tmp_path / "picture.bin").write_bytes(b"\x89PNG\0\0")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("hidden", encoding="utf-8")
    return tmp_path


def test_it_counts_a_folder(folder: Path) -> None:
    done = run("--json", folder)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    names = [Path(file["name"]).name for file in found["files"]]
    assert names == ["a.txt", "b.md", "empty"]
    assert [Path(name).name for name in found["skipped"]] == ["picture.bin"]
    expected = tokens.count_batch(["Where is my order?", "日本語 " * 50, ""], model="gpt-4o")
    assert [file["tokens"] for file in found["files"]] == expected
    assert found["tokens"] == sum(expected)
    assert found["encoding"] == "o200k_base"


def test_the_table_lists_the_largest_first(folder: Path) -> None:
    done = run("--encoding", "cl100k_base", "--top", 1, folder)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["file", "tokens", "bytes"]
    assert "b.md" in lines[2] and "█" in lines[2]
    assert lines[3].startswith("… 2 more")
    assert lines[5].startswith("3 files, cl100k_base")
    assert lines[6] == "1 skipped: no text, or not readable"
    assert not done.stderr


def test_it_reads_its_input_and_many_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run("--model", "gpt-4", "-", data=b"Where is my order?")
    assert done.returncode == 0 and "1 files, cl100k_base" in done.stdout
    monkeypatch.setattr(count_tokens, "FILES", 1)
    with tokens.Tokenizer(encoding="estimate") as tokenizer:
        counts = count_tokens.count([str(folder)], tokenizer, count_tokens.Progress())
    assert [file.tokens for file in counts.files] == [5, 125, 0]


def test_it_says_what_is_wrong(tmp_path: Path) -> None:
    done = run("--model", "claude", tmp_path)
    assert done.returncode == 2 and "gpt-4o" in done.stderr
    done = run(tmp_path / "missing")
    assert done.returncode == 1 and "no text to count" in done.stderr
    assert run("--model", "gpt-4", "--encoding", "estimate", "x").returncode == 2


def test_a_bar_is_as_long_as_its_share() -> None:
    assert count_tokens.bar(0).strip() == ""
    assert count_tokens.bar(1) == "█" * 20
    assert count_tokens.bar(0.5) == "█" * 10 + " " * 10
