"""JSONTestSuite, the big list of naughty strings and Unicode's own test cases, everywhere.

Whatever goes in is read back as it was, or it is refused with its code and place and nothing was
written. The files are beside the repository (../shared/data/torture-json-unicode.tar.xz).
"""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import json
import tarfile
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from conftest import DATA

import memexllm
from memexllm import errors

ARCHIVE = DATA / "torture-json-unicode.tar.xz"

# Files of JSONTestSuite: (accepted, refused) as the value of a body's content.
# y_: two with duplicate keys and one with a NUL in a key are valid JSON that we do not take.
# i_: numbers of any size are kept; broken UTF-8 and surrogates, UTF-16, byte order marks and 500
# levels are refused.
COUNTS = {"y": (92, 3), "n": (0, 188), "i": (10, 25), "transform": (13, 9)}


@pytest.fixture
def store(url: str) -> Iterator[memexllm.Store]:
    """Syncs are not what is tested here."""
    with memexllm.open(url, durability="normal") as opened:
        yield opened


TOO_DEEP = {
    "i_structure_500_nested_arrays.json",
    "n_structure_100000_opening_arrays.json",
    "n_structure_open_array_object.json",
}


class Refused(Exception):
    """By the rules of docs/reference/json.md."""


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    if not ARCHIVE.exists():
        pytest.skip(f"{ARCHIVE.name} is not beside the repository (../shared/data)")
    with tarfile.open(ARCHIVE) as archive:
        found = {}
        for member in archive.getmembers():
            file = archive.extractfile(member)
            if file is not None:
                found[member.name] = file.read()
    return found


@pytest.fixture(scope="module")
def suite(files: dict[str, bytes]) -> dict[str, bytes]:
    """JSONTestSuite: its files by name."""
    return {
        name.rpartition("/")[2]: data
        for name, data in files.items()
        if name.startswith("JSONTestSuite/test_")
    }


@pytest.fixture(scope="module")
def strings(files: dict[str, bytes], suite: dict[str, bytes]) -> list[str]:
    """Naughty strings, grapheme clusters, normal forms, and the suite's files as texts."""
    found: list[str] = json.loads(files["blns/blns.json"])
    assert len(found) == 515
    graphemes = files["ucd/GraphemeBreakTest.txt"].decode().splitlines()
    for line in graphemes:
        codes = [word for word in line.partition("#")[0].split() if word not in "÷×"]
        found += ["".join(chr(int(code, 16)) for code in codes)] if codes else []
    for line in files["ucd/NormalizationTest.txt"].decode().splitlines()[::20]:
        fields = line.partition("#")[0].split(";")[:5]
        if len(fields) == 5:
            found += ["".join(chr(int(code, 16)) for code in field.split()) for field in fields]
    found += [data.decode("utf-8", "surrogateescape") for data in suite.values()]
    return sorted(set(found))


def strict(text: bytes) -> Any:
    """Python's parser, made as strict as the library says that it is."""

    def pairs(entries: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in entries]
        if len(set(keys)) < len(keys) or any("\0" in key for key in keys):
            raise Refused
        return dict(entries)

    def constant(_: str) -> Any:
        raise Refused

    try:
        value = json.loads(text.decode(), object_pairs_hook=pairs, parse_constant=constant)
        json.dumps(value, ensure_ascii=False).encode()
        if depth(value) > 128:
            raise Refused
    except (ValueError, RecursionError):
        raise Refused from None
    return value


def depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, inner), default=0) if isinstance(value, (dict, list)) else 0


def is_text(text: str) -> bool:
    return not any(0xD800 <= ord(character) < 0xE000 for character in text)


def is_id(text: str) -> bool:
    return (
        is_text(text)
        and 1 <= len(text.encode()) <= 255
        and not any(unicodedata.category(character) == "Cc" for character in text)
    )


def kind(name: str) -> str:
    return name[0] if name[1] == "_" else "transform"


def test_the_suite_as_content(thread: memexllm.Thread, suite: dict[str, bytes]) -> None:
    accepted, refused = Counter[str](), Counter[str]()
    for name, data in suite.items():
        body = b'{"role":"user","content":' + data + b"}"
        before = thread.count()
        try:
            value = strict(body)
        except Refused:
            with pytest.raises((errors.InvalidError, errors.LimitError)) as caught:
                thread.append(body)
            assert 0 <= caught.value.details["offset"] <= len(body), name
            is_deep = isinstance(caught.value, errors.LimitError)
            assert is_deep == (name in TOO_DEEP), name
            assert thread.count() == before
            refused[kind(name)] += 1
            continue
        seq = thread.append(body).seq
        assert thread.message(seq).raw == body
        assert thread.messages(last=1)[0].raw == body
        assert repr(thread.bodies(1)) == repr([value]), name  # also -0.0 and inf
        accepted[kind(name)] += 1
    assert {key: (accepted[key], refused[key]) for key in COUNTS} == COUNTS
    assert thread.count() == accepted.total()


def test_the_suite_as_messages(thread: memexllm.Thread, suite: dict[str, bytes]) -> None:
    """A file that is an object is a body; one that is an array of objects is several."""
    stored = 0
    for name, data in suite.items():
        try:
            value = strict(data)
            wanted = value if isinstance(value, list) else [value]
            if not wanted or not all(isinstance(body, dict) for body in wanted):
                raise Refused
        except Refused:
            with pytest.raises((errors.InvalidError, errors.LimitError)) as caught:
                thread.append(data, format="opaque")
            assert {"offset", "path"} & caught.value.details.keys(), name
            assert thread.count() == stored
            continue
        thread.append(data, format="opaque")
        stored += len(wanted)
        assert thread.bodies(len(wanted)) == wanted
        if isinstance(value, dict):
            assert thread.message(stored).raw == data.strip(b" \t\r\n")
    assert thread.count() == stored > 10
    # In OpenAI's format the same need a role.
    with pytest.raises(errors.InvalidError) as caught:
        thread.append(suite["y_object_basic.json"])
    assert caught.value.details == {"path": "/role"}


def test_the_suite_as_metadata(thread: memexllm.Thread, suite: dict[str, bytes]) -> None:
    for name, data in suite.items():
        try:
            value = strict(data)
        except Refused:
            continue
        if "inf" in repr(value):
            with pytest.raises(ValueError, match="JSON"):
                thread.append("user", "x", metadata={"v": value})
            continue
        seq = thread.append("user", name, metadata={"v": value}, provenance={"v": value}).seq
        message = thread.message(seq)
        assert message.metadata == message.provenance == {"v": value}, name


def test_strings_as_contents(thread: memexllm.Thread, strings: list[str]) -> None:
    legal = [text for text in strings if is_text(text)]
    thread.append([{"role": "user", "content": text} for text in legal])
    assert [body["content"] for body in thread.bodies()] == legal
    assert [message.content for message in thread.messages()] == legal
    for text in set(strings) - set(legal):
        for message in (("user", text), ({"role": "user", "content": text, "name": "n"},)):
            with pytest.raises(errors.InvalidError) as caught:
                thread.append(*message)
            assert "offset" in caught.value.details
    assert thread.count() == len(legal) > 2000
    few = legal[::20]
    seqs = [thread.append("user", text).seq for text in few]
    assert [thread.message(seq).content for seq in seqs] == few


def test_strings_as_metadata(thread: memexllm.Thread, strings: list[str]) -> None:
    """As values and as keys; a key holds no NUL."""
    stored = 0
    for text in strings[::3]:
        for metadata, is_legal in (
            ({"v": text}, is_text(text)),
            ({text: "v"}, is_text(text) and "\0" not in text),
        ):
            if is_legal:
                message = thread.message(thread.append("user", "x", metadata=metadata).seq)
                assert message.metadata == metadata
                stored += 1
                continue
            with pytest.raises(errors.InvalidError) as caught:
                thread.append("user", "x", metadata=metadata)
            assert {"offset", "path"} & caught.value.details.keys()
            assert thread.count() == stored
    many = {text: text for text in strings[:500] if is_text(text) and "\0" not in text}
    assert thread.update(metadata=many).metadata == many


def test_strings_as_ids(store: memexllm.Store, strings: list[str]) -> None:
    """Compared bytewise: normal forms and cases are other ids."""
    thread = store.threads.create(id="messages")
    legal = [text for text in strings if is_id(text)]
    assert len(legal) > 2000
    for text in legal:
        assert store.threads.create(id=text).id == text
        thread.append("user", text, id=text, idempotency_key=text)
        assert thread.message(text).content == text
    for text in set(strings) - set(legal):
        for use in (
            partial(store.threads.create, id=text),
            partial(thread.append, "user", "x", id=text),
            partial(thread.append, "user", "x", idempotency_key=text),
            partial(store.threads.open, text),
            partial(thread.message, text),
        ):
            with pytest.raises((errors.InvalidError, errors.LimitError)) as caught:
                use()
            assert {"offset", "path", "limit"} & caught.value.details.keys() or not text
    assert {found.id for found in store.threads.list()} == {*legal, "messages"}
    assert [message.id for message in thread.messages()] == legal
    for text in legal[::50]:
        assert store.threads.open(text).id == text


def test_strings_as_titles(store: memexllm.Store, strings: list[str]) -> None:
    thread = store.threads.create(title="before")
    kept = 0
    for text in strings[::5]:
        if is_text(text) and len(text.encode()) <= 4096:
            assert thread.update(title=text).title == text
            assert store.threads.open(thread.id).title == text
            assert next(store.threads.list(filter={"title": {"eq": text}})) == thread
            kept += 1
            continue
        last = thread.title
        with pytest.raises((errors.InvalidError, errors.LimitError)):
            thread.update(title=text)
        assert thread.get().title == last
    assert kept > 400
