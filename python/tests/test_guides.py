"""The Python of each guide runs in order, in one interpreter, as it stands."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

import code
import re
from pathlib import Path
from typing import Any

import pytest

import memexllm
from memexllm import testing

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "guides"
# The integration's guide needs a server: test_openai_guide.py.
PAGES = sorted(page.name for page in GUIDES.glob("*.md") if page.name != "openai.md")


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (GUIDES / page).read_text("utf-8"), re.M | re.S)


class Console(code.InteractiveConsole):
    """An interactive interpreter in which no statement may fail."""

    def showtraceback(self) -> None:
        raise  # noqa: PLE0704  pylint: disable=misplaced-bare-raise

    def showsyntaxerror(self, filename: str | None = None, **_: Any) -> None:
        raise  # noqa: PLE0704  pylint: disable=misplaced-bare-raise


def test_there_are_guides() -> None:
    if not GUIDES.exists():
        pytest.skip(f"{GUIDES} is not beside the package")
    assert len(PAGES) > 6
    assert blocks("python.md")


@pytest.mark.parametrize("page", PAGES)
def test_the_blocks_of_a_guide_run(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not blocks(page):
        assert page in ("c.md", "concurrency.md", "cpp.md"), "no Python; tools/tests runs the C"
    backup = tmp_path / "backup"
    backup.mkdir()
    memexllm.open(f"sqlite:///{backup}/chat.db").close()
    monkeypatch.chdir(tmp_path)
    # The whole check takes minutes on a disk; test_backend.py runs it on a class like the guide's.
    monkeypatch.setattr(testing, "check_storage_backend", lambda url: memexllm.open(url).close())
    names: dict[str, Any] = {}
    for block in blocks(page):
        block = block.replace("sqlite:////backup/", f"sqlite:///{backup}/")
        exec(compile(block, page, "exec"), names)  # pylint: disable=exec-used


def test_the_python_guide_can_be_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Line by line: an empty line ends a block, and nothing else does."""
    monkeypatch.chdir(tmp_path)
    console = Console()
    for block in blocks("python.md"):
        for line in [*block.splitlines(), ""]:
            more = console.push(line)
        assert not more
    assert (tmp_path / "chat.db").exists()
