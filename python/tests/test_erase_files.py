"""What an erase leaves in the files of a database."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

from pathlib import Path

import pytest

import memexllm


def bytes_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.mark.parametrize("at_seq", [1, 2])
@pytest.mark.parametrize("erase", [False, True])
def test_the_document_goes_though_forks_live(tmp_path: Path, at_seq: int, erase: bool) -> None:
    with memexllm.open(f"sqlite:///{tmp_path}/chat.db") as store:
        thread = store.threads.create(title="SECRET title", metadata={"user": "SECRET name"})
        thread.append("user", "SECRET one")
        thread.append("user", "SECRET two")
        fork = thread.fork(at_seq=at_seq, title="a fork")
        assert fork.count() == at_seq
        thread.delete(erase=erase)
        assert fork.get().title == "a fork"
        assert fork.count() == (0 if erase else at_seq)
        left = bytes_of(tmp_path)
        if erase:
            assert b"SECRET" not in left
    with memexllm.open(f"sqlite:///{tmp_path}/chat.db") as store:
        store.command("maintain")
        left = bytes_of(tmp_path)
        assert b"SECRET title" not in left and b"SECRET name" not in left
        assert store.command("check") == {"ok": True, "problems": []}
