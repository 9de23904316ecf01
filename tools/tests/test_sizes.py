"""Tests of tools/check_sizes.py: long files are found, and reasons that are no longer needed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

# pylint: disable=wrong-import-position
import check_sizes  # noqa: E402


def write(root: Path, name: str, lines: int) -> None:
    """A file of so many lines."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x\n" * lines, encoding="utf-8")


@pytest.mark.parametrize("name", ["Sources/A.swift", "Tests/C/a/b.h", "tools/a.sh", "python/a.py"])
def test_long_files_are_found(tmp_path: Path, name: str) -> None:
    """The limit is allowed, a line more is not."""
    write(tmp_path, name, check_sizes.LIMIT)
    assert not check_sizes.problems(tmp_path, {})
    write(tmp_path, name, check_sizes.LIMIT + 1)
    (problem,) = check_sizes.problems(tmp_path, {})
    assert problem.startswith(f"{name}: {check_sizes.LIMIT + 1} lines")


@pytest.mark.parametrize(
    "name", ["docs/a.md", "Tests/C/README.md", "python/poetry.lock", "python/build/a.py", "a.py"]
)
def test_what_is_no_source(tmp_path: Path, name: str) -> None:
    """Texts, locks, what was built, and other folders."""
    write(tmp_path, name, 10 * check_sizes.LIMIT)
    assert not check_sizes.problems(tmp_path, {})


def test_reasons(tmp_path: Path) -> None:
    """A reason holds for its files; one that nothing needs is a problem."""
    write(tmp_path, "Sources/A/Table1.swift", 1000)
    write(tmp_path, "Sources/A/Table2.swift", 1000)
    assert not check_sizes.problems(tmp_path, {"Sources/A/Table*.swift": "generated"})
    write(tmp_path, "Sources/B.swift", 1000)
    assert len(check_sizes.problems(tmp_path, {"Sources/A/*": "generated"})) == 1
    assert len(check_sizes.problems(tmp_path, {"Sources/*": "generated", "Sources/C": "gone"})) == 1


def test_this_repository() -> None:
    """Each row of the list has a reason."""
    assert all(check_sizes.ALLOWED.values())
