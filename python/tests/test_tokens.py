"""memexllm.tokens: counts, ids, cuts, tokenizers of the caller's, and what stores count with."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

import base64
import json
import lzma
import os
import random
import threading
from pathlib import Path
from typing import Any

import pytest

import memexllm
from memexllm import tokens
from memexllm.errors import (
    CallbackError,
    ClosedError,
    ExistsError,
    ForkedError,
    InvalidError,
    NotFoundError,
    UnsupportedError,
)

TRUTH = Path(__file__).resolve().parents[3] / "shared" / "data" / "token_truth.jsonl.xz"
TEXT = "naïve 日本語 <|endoftext|> 'tis 12345\n\n  done"


def truth() -> list[dict[str, Any]]:
    if not TRUTH.exists():
        pytest.skip(f"{TRUTH} is not there")
    with lzma.open(TRUTH, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.parametrize("encoding", ["o200k_base", "cl100k_base"])
def test_counts_and_ids_are_tiktokens(encoding: str) -> None:
    rows = truth()
    assert len(rows) == 1233
    texts = [row["text"] for row in rows]
    expected = [row[encoding] for row in rows]
    assert tokens.count_batch(texts, encoding=encoding) == expected
    assert [tokens.count(text, encoding=encoding) for text in texts] == expected
    for row in rows:
        if ids := row.get(f"{encoding}_ids"):
            assert tokens.encode(row["text"], encoding=encoding) == ids
            assert tokens.decode(ids, encoding=encoding) == row["text"]


@pytest.mark.parametrize(
    ("model", "name"),
    [("gpt-4o", "o200k_base"), ("gpt-4", "cl100k_base"), ("gpt-oss-20b", "o200k_harmony")],
)
def test_a_model_has_an_encoding(model: str, name: str) -> None:
    with tokens.Tokenizer(model=model) as tokenizer:
        assert tokenizer.name == name
        assert tokenizer.count(TEXT) == tokens.count(TEXT, encoding=name)
        assert tokenizer.count(TEXT) == tokens.count(TEXT, model=model)


@pytest.mark.parametrize("encoding", tokens.BUILT_IN[:4])
def test_there_and_back(encoding: str) -> None:
    ids = tokens.encode(TEXT, encoding=encoding)
    assert len(ids) == tokens.count(TEXT, encoding=encoding)
    assert tokens.decode(ids, encoding=encoding) == TEXT


def test_special_tokens_are_text_unless_asked_for() -> None:
    text = "a<|endoftext|>b"
    assert 199999 not in tokens.encode(text, model="gpt-4o")
    ids = tokens.encode(text, model="gpt-4o", special="tokens")
    assert ids == [64, 199999, 65]
    assert tokens.decode(ids, model="gpt-4o") == text
    assert tokens.count(text, model="gpt-4o", special="tokens") == 3
    assert tokens.count_batch([text], model="gpt-4o", special="tokens") == [3]


def test_a_batch_counts_each_text() -> None:
    texts = ["", "hello", "日本", "a" * 1000, "x\x00y", "\ud800"]
    each = [tokens.count(text, encoding="o200k_base") for text in texts]
    assert tokens.count_batch(texts, encoding="o200k_base") == each
    assert tokens.count_batch(iter(texts[:3]), encoding="o200k_base") == each[:3]
    assert tokens.count_batch([], encoding="o200k_base") == []


def test_a_cut_text_is_a_beginning_of_at_most_so_many_tokens() -> None:
    source = random.Random(5)
    parts = ["a", "é", "日", "😀", " ", "   ", "hello", "\n", "'s", "1234", "=-", "مرحبا"]
    for _ in range(1500):
        text = "".join(source.choice(parts) for _ in range(source.randrange(60)))
        limit = source.randrange(30)
        for encoding in ("o200k_base", "cl100k_base", "estimate"):
            cut = tokens.truncate(text, limit, encoding=encoding)
            assert text.startswith(cut)
            assert tokens.count(cut, encoding=encoding) <= limit
            if tokens.count(text, encoding=encoding) <= limit:
                assert cut == text


def test_a_cut_text_loses_no_more_than_it_must() -> None:
    assert tokens.truncate("one two three four", 2, model="gpt-4o") == "one two"
    assert tokens.truncate("日本語", 1, encoding="estimate") == "日"
    assert tokens.truncate("abc", 0, model="gpt-4o") == ""
    long = "Where is my order? " * 100_000
    cut = tokens.truncate(long, 1000, model="gpt-4o")
    assert tokens.count(cut, model="gpt-4o") == 1000


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(NotFoundError, match="o200k_base.*gpt-4o") as unknown:
        tokens.count("x", model="claude-sonnet-4")
    assert unknown.value.details == {"model": "claude-sonnet-4"}
    with pytest.raises(NotFoundError, match="known are o200k_base"):
        tokens.count("x", encoding="o300k")
    with pytest.raises(UnsupportedError, match="r50k_base"):
        tokens.count("x", model="davinci")
    with pytest.raises(InvalidError, match='one of "encoding", "model" and "path"'):
        tokens.count("x")
    with pytest.raises(InvalidError, match="/special"):
        tokens.count("x", model="gpt-4o", special="none")  # type: ignore[arg-type]
    with pytest.raises(InvalidError, match="/pattern"):
        tokens.Tokenizer(model="gpt-4o", pattern="o200k_base")
    with pytest.raises(InvalidError, match="999999 at index 1"):
        tokens.decode([1, 999999], model="gpt-4o")
    with pytest.raises(InvalidError):
        tokens.truncate("x", -1, model="gpt-4o")
    with pytest.raises(UnsupportedError, match="only counts"):
        tokens.encode("x", encoding="estimate")
    wrong: Any = 7
    for call in (
        lambda: tokens.count(wrong, model="gpt-4o"),
        lambda: tokens.count("x", model=wrong),
        lambda: tokens.count_batch("text", model="gpt-4o"),
        lambda: tokens.count_batch(wrong, model="gpt-4o"),
        lambda: tokens.count_batch(["x", wrong], model="gpt-4o"),
        lambda: tokens.decode(wrong, model="gpt-4o"),
        lambda: tokens.decode(["x"], model="gpt-4o"),  # type: ignore[list-item]
        lambda: tokens.truncate("x", 1.5, model="gpt-4o"),  # type: ignore[arg-type]
        lambda: tokens.count_messages(wrong, model="gpt-4o"),
        lambda: tokens.register_tokenizer("seven", wrong),
        lambda: memexllm.open("memory:", tokenizer=wrong),
    ):
        with pytest.raises(TypeError):
            call()


def test_a_request_is_more_than_its_messages() -> None:
    message = {"role": "user", "content": "Where is my order?"}
    one = tokens.count_messages([message], model="gpt-4o")
    assert one > tokens.count("Where is my order?", model="gpt-4o")
    assert tokens.count_messages([message, message], model="gpt-4o") > one
    with tokens.Tokenizer(model="gpt-4o") as tokenizer:
        assert tokenizer.count_messages([message]) == one
    for name in tokens.ESTIMATES:
        assert tokens.count_messages([message], encoding=name) > 4
        assert tokens.count("Where is my order?", encoding=name) > 2
    assert set(tokens.BUILT_IN) <= set(memexllm.describe()["tokenizers"])
    with pytest.raises(TypeError):
        tokens.count_messages(["x"], model="gpt-4o")  # type: ignore[list-item]


def test_a_closed_tokenizer_says_so() -> None:
    tokenizer = tokens.Tokenizer(model="gpt-4o")
    tokenizer.close()
    tokenizer.close()
    with pytest.raises(ClosedError):
        tokenizer.count("x")
    assert "closed" in repr(tokenizer)


def test_threads_share_a_tokenizer() -> None:
    texts = [f"{TEXT} {number}" for number in range(300)]
    expected = [tokens.count(text, model="gpt-4o") for text in texts]
    found: list[list[int]] = []

    def work(tokenizer: tokens.Tokenizer) -> None:
        found.append([tokenizer.count(text) for text in texts])
        found.append(tokenizer.count_batch(texts))

    with tokens.Tokenizer(model="gpt-4o") as shared:
        workers = [threading.Thread(target=work, args=(shared,)) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert found == [expected] * 8


def test_a_forked_child_counts_with_tokenizers_of_its_own() -> None:
    with tokens.Tokenizer(model="gpt-4o") as tokenizer:
        expected = tokens.count(TEXT, model="gpt-4o")
        child = os.fork()
        if child == 0:
            status = 1
            try:
                tokenizer.count(TEXT)
            except ForkedError:
                status = 0 if tokens.count(TEXT, model="gpt-4o") == expected else 2
            os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class Letters(tokens.CustomTokenizer):
    """A token for each letter."""

    def count(self, text: str) -> int:
        return len(text)

    def encode(self, text: str) -> list[int]:
        return [ord(letter) for letter in text]

    def decode(self, ids: Any) -> str:
        return "".join(map(chr, ids))


@pytest.fixture(name="letters")
def _letters() -> Any:
    tokens.register_tokenizer("letters", Letters())
    yield "letters"
    tokens.unregister_tokenizer("letters")


def test_a_tokenizer_of_the_callers(letters: str) -> None:
    assert letters in memexllm.describe()["tokenizers"]
    assert tokens.count("héllo", encoding=letters) == 5
    assert tokens.count_batch(["a", "bc"], encoding=letters) == [1, 2]
    assert tokens.encode("aé", encoding=letters) == [97, 233]
    assert tokens.decode([97, 233], encoding=letters) == "aé"
    assert tokens.truncate("日本語", 2, encoding=letters) == "日本"
    with pytest.raises(ExistsError):
        tokens.register_tokenizer(letters, Letters())
    with pytest.raises(ExistsError):
        tokens.register_tokenizer("cl100k_base", Letters())
    with pytest.raises(NotFoundError):
        tokens.unregister_tokenizer("nobodys")


def test_a_name_that_is_registered_again_stands_for_the_new_one() -> None:
    for number, counts in enumerate((lambda _: 1, lambda _: 2), 1):
        tokens.register_tokenizer("again", counts)
        assert tokens.count("x", encoding="again") == number
        tokens.unregister_tokenizer("again")
    with pytest.raises(NotFoundError):
        tokens.count("x", encoding="again")


def test_a_tokenizer_that_fails_is_the_cause() -> None:
    def fails(text: str) -> int:
        if text == "stop":
            raise KeyboardInterrupt
        if text == "text":
            return "many"  # type: ignore[return-value]
        return -1 if text == "negative" else 2**70

    tokens.register_tokenizer("fails", fails)
    try:
        with tokens.Tokenizer(encoding="fails") as tokenizer:
            for text in ("negative", "huge"):
                with pytest.raises(CallbackError, match="between 0 and 2147483647"):
                    tokenizer.count(text)
            with pytest.raises(CallbackError) as failed:
                tokenizer.count("text")
            assert isinstance(failed.value.__cause__, TypeError)
            with pytest.raises(KeyboardInterrupt):
                tokenizer.count("stop")
            with pytest.raises(UnsupportedError, match="without encode"):
                tokenizer.encode("x")
        with memexllm.open("memory:", tokenizer="fails") as store:
            thread = store.threads.create()
            with pytest.raises(CallbackError):
                thread.append("user", "x")
            assert len(thread) == 0
    finally:
        tokens.unregister_tokenizer("fails")


def each_store(tmp_path: Path) -> list[str]:
    return [
        f"sqlite:///{tmp_path}/a.db",
        f"lmdb:///{tmp_path}/lmdb",
        f"file:///{tmp_path}/file",
        "memory:tokens",
    ]


def test_counts_are_kept_for_the_tokenizer_that_made_them(tmp_path: Path) -> None:
    text = "Where is my order? " * 20
    body = {"role": "user", "content": text}
    exact = tokens.count_messages([body, body], model="gpt-4o")
    exact -= tokens.count_messages([body], model="gpt-4o")
    for url in each_store(tmp_path):
        with memexllm.open(url) as keeps_memory:
            with memexllm.open(url, tokenizer="gpt-4o") as store:
                thread = store.threads.create(id="t")
                thread.append(body)
                (message,) = thread.messages()
                assert (message.tokens, thread.context().tokens) == (exact, exact)
                assert thread.context().tokenizer == "gpt-4o"
                thread.message(1).update_metadata({"a": 1})
                assert thread.messages()[0].tokens == exact
            # Another tokenizer does not take that count for its own, and this one finds it again.
            thread = keeps_memory.threads.open("t")
            estimate = thread.messages()[0].tokens
            assert estimate != exact
            assert estimate == thread.message(1).tokens == thread.context().tokens
            thread.append(body)
            assert [message.tokens for message in thread.messages()] == [estimate] * 2
            assert thread.context(tokenizer="gpt-4o").tokens == 2 * exact
        if not url.startswith("memory:"):
            with memexllm.open(url, tokenizer="gpt-4o") as store:
                thread = store.threads.open("t")
                assert [message.tokens for message in thread.messages()] == [exact] * 2
                assert thread.context(2 * exact).tokens == 2 * exact
                assert len(thread.context(2 * exact - 1)) == 1
                assert store.command("check")["ok"]


def ranks(file: Path, *merged: bytes) -> None:
    """A rank file of all bytes and a few tokens more."""
    tokens_ = [bytes([number]) for number in range(256)] + list(merged)
    lines = [b"%b %d" % (base64.b64encode(token), rank) for rank, token in enumerate(tokens_)]
    file.write_bytes(b"\n".join(lines) + b"\n")


def test_a_tokenizer_from_a_file_is_known_by_its_bytes(tmp_path: Path) -> None:
    file, url = tmp_path / "own.tiktoken", f"sqlite:///{tmp_path}/chat.db"
    counts: list[int] = []
    for merged in ((), (b"aa",), ()):
        ranks(file, *merged)
        with tokens.Tokenizer(path=file, pattern="cl100k_base") as tokenizer:
            assert tokenizer.count("aaaa") == 4 - 2 * len(merged)
            with memexllm.open(url, tokenizer=tokenizer) as store:
                thread = store.threads.get("t") or store.threads.create(id="t")
                if not counts:
                    thread.append("user", "a" * 100)
                counts.append(thread.messages()[0].tokens)
                assert thread.context().tokens == counts[-1]
    assert counts[0] == counts[2] == counts[1] + 50
    with pytest.raises(InvalidError, match="pattern"):
        tokens.Tokenizer(path=file)
    with pytest.raises(NotFoundError, match="missing"):
        tokens.Tokenizer(path=tmp_path / "missing")
    with pytest.raises(InvalidError, match="NUL"):
        tokens.Tokenizer(path=f"{file}\0x")
    with pytest.raises(InvalidError, match="/tokenizer.*missing"):
        memexllm.build_context([], tokenizer=missing(tmp_path))


def missing(folder: Path) -> tokens.Tokenizer:
    """A tokenizer of a file that is gone."""
    file = folder / "missing.tiktoken"
    ranks(file)
    tokenizer = tokens.Tokenizer(path=file, pattern="cl100k_base")
    file.unlink()
    return tokenizer


def test_a_store_counts_with_a_tokenizer_of_the_callers(letters: str) -> None:
    with memexllm.open("memory:mixed") as other:
        thread = other.threads.create(id="t")
        for number in range(200):
            thread.append("user" if number % 2 == 0 else "assistant", f"message {number}")
        with memexllm.open("memory:mixed", tokenizer=letters) as store:
            thread = store.threads.open("t")
            whole = thread.context()
            assert len(whole) == 200
            assert sum(entry["tokens"] for entry in whole.kept) == whole.tokens
            last = [entry["tokens"] for entry in whole.kept[-70:]]
            assert len(thread.context(sum(last))) == 70
            thread.append("user", "x")
            assert thread.messages()[-1].tokens > 0


def test_a_window_of_messages_that_are_not_stored_is_counted_as_asked() -> None:
    bodies = [{"role": "user", "content": "Where is my order? " * 20}]
    exact = memexllm.build_context(bodies, tokenizer="o200k_base")
    assert exact.tokenizer == "o200k_base"
    assert exact.tokens != memexllm.build_context(bodies).tokens
    with tokens.Tokenizer(model="gpt-4o") as tokenizer:
        assert memexllm.build_context(bodies, tokenizer=tokenizer).tokens == exact.tokens
        with memexllm.open("memory:", tokenizer=tokenizer) as store:
            thread = store.threads.create()
            thread.append(bodies[0])
            assert thread.context().tokens == exact.tokens
            assert store.session(tenant="a").tokenizer is tokenizer
    with pytest.raises(InvalidError, match="/tokenizer"):
        memexllm.build_context(bodies, tokenizer="o300k")
    with pytest.raises(InvalidError, match="/tokenizer.*o200k_base"):
        memexllm.open("memory:", tokenizer="o300k")
