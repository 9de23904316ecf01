"""What all tests share: a store of each engine, and the data beside the repository."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path

import pytest

import memexllm

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(params=["memory", "sqlite", "lmdb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store of each engine."""
    return "memory:" if request.param == "memory" else f"{request.param}:///{tmp_path}/chat.db"


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    """The URL of an empty store in a file."""
    return f"sqlite:///{tmp_path}/chat.db"


@pytest.fixture
def store(url: str) -> Iterator[memexllm.Store]:
    """An empty store of each engine."""
    with memexllm.open(url) as opened:
        yield opened


@pytest.fixture
def thread(store: memexllm.Store) -> memexllm.Thread:
    """An empty thread."""
    return store.threads.create()


@pytest.fixture(scope="session")
def airline() -> list[str]:
    """Lines of the tau-bench conversations: real tool calls, null contents, reused call ids."""
    file = DATA / "tau-bench-airline-gpt4o.jsonl.xz"
    if not file.exists():
        pytest.skip(f"{file.name} is not beside the repository (../shared/data)")
    return lzma.open(file, "rt", encoding="utf-8").read().splitlines()
