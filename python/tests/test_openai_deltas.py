"""The integration with the OpenAI SDK: streams give the same message however they are cut."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

import copy
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai_clients import CALLS
from openai_server import chunk

from memexllm.integrations._deltas import Completion, merge

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
# What may be cut anywhere; the rest comes whole.
TEXTS = ("content", "refusal", "reasoning_content", "reasoning")


def calls_of(*entries: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        chunk({"tool_calls": [{"index": index, **entry}]}) for index, entry in enumerate(entries)
    ]


RECORDED = [
    [chunk({"role": "assistant", "content": ""}), chunk({"content": "Hello, 世界 ha ha 😀"})],
    [chunk({"role": "assistant", "content": None}), *calls_of(*CALLS)],
    [
        chunk({"role": "assistant", "reasoning_content": "aabbaa"}),
        chunk({"content": "aa"}),
        chunk({"refusal": "no no"}),
        chunk({"content": "other"}, index=1),
    ],
]


def put_together(chunks: list[dict[str, Any]]) -> list[Any]:
    whole = Completion()
    for piece in chunks:
        whole.add(copy.deepcopy(piece))
    return [
        (index, choice.body(), choice.finish_reason)
        for index, choice in sorted(whole.choices.items())
    ]


def cut(text: str, data: st.DataObject) -> list[str]:
    """A text in pieces; a character that takes two escapes may be cut, too."""
    units = text.encode("utf-16-le", "surrogatepass")
    letters = [
        units[at : at + 2].decode("utf-16-le", "surrogatepass") for at in range(0, len(units), 2)
    ]
    places = data.draw(st.sets(st.integers(0, len(letters)), max_size=6))
    ends = [0, *sorted(places), len(letters)]
    return ["".join(letters[start:end]) for start, end in zip(ends, ends[1:])]


def pieces(part: dict[str, Any], data: st.DataObject) -> Iterator[dict[str, Any]]:
    """A choice of a chunk as several: its texts cut, the rest first, perhaps said again."""
    delta = copy.deepcopy(part.get("delta") or {})
    texts = {name: delta.pop(name) for name in TEXTS if isinstance(delta.get(name), str)}
    arguments = []
    for call in delta.get("tool_calls") or []:
        function = call.get("function")
        if isinstance(call.get("index"), int) and function and function.get("arguments"):
            arguments.append((call, function.pop("arguments")))
    rest = {**part, "finish_reason": None}
    yield {**rest, "delta": copy.deepcopy(delta)}
    for call, text in arguments:
        again = data.draw(st.booleans())
        for piece in cut(text, data):
            entry: dict[str, Any] = {"index": call["index"], "function": {"arguments": piece}}
            if again and call["function"].get("name"):
                entry.update(id=data.draw(st.sampled_from(["", call.get("id")])), type="function")
                entry["function"]["name"] = data.draw(
                    st.sampled_from(["", call["function"]["name"]])
                )
            yield {**rest, "delta": {"tool_calls": [entry]}}
    for name, text in texts.items():
        for piece in cut(text, data):
            yield {**rest, "delta": {"role": data.draw(st.sampled_from(["", None])), name: piece}}
    if part.get("finish_reason"):
        yield {**part, "delta": {}}


def joined(value: Any) -> Any:
    """Pairs of surrogates as the one character that they are."""
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le"))


def check(chunks: list[dict[str, Any]], data: st.DataObject) -> None:
    again = [
        {**whole, "choices": [piece]}
        for whole in chunks
        for part in whole["choices"]
        for piece in pieces(part, data)
    ]
    found = [(index, joined(body), reason) for index, body, reason in put_together(again)]
    wanted = [(index, joined(body), reason) for index, body, reason in put_together(chunks)]
    for (_, body, _), (_, other, _) in zip(found, wanted):
        # An empty text that came with nothing else says nothing.
        for name in {*body, *other}:
            assert (body.get(name) or None) == (other.get(name) or None), name
    assert [entry[::2] for entry in found] == [entry[::2] for entry in wanted]


@settings(max_examples=150, deadline=None)
@given(which=st.sampled_from(range(len(RECORDED))), data=st.data())
def test_any_chunks_give_the_same_message(which: int, data: st.DataObject) -> None:
    check([*RECORDED[which], chunk({}, "stop")], data)


def test_what_the_chunks_say() -> None:
    messages = [put_together(chunks)[0][1] for chunks in RECORDED]
    assert messages[0] == {"role": "assistant", "content": "Hello, 世界 ha ha 😀"}
    assert messages[1] == {"role": "assistant", "content": None, "tool_calls": CALLS}
    assert messages[2]["reasoning_content"] == "aabbaa"


def recorded(archive: str) -> Iterator[list[dict[str, Any]]]:
    """The chat-completions streams of an archive: lines of JSON, or of server-sent events."""
    with tarfile.open(DATA / archive) as members:
        for member in members:
            file = members.extractfile(member)
            if file is None or not member.name.endswith((".chunks.txt", ".yaml")):
                continue
            chunks: list[dict[str, Any]] = []
            for line in io.TextIOWrapper(file, encoding="utf-8"):
                text = line.strip().removeprefix("data: ")
                if text == "[DONE]" and chunks:
                    yield chunks
                    chunks = []
                elif text.startswith("{") and '"delta"' in text and '"choices"' in text:
                    try:
                        chunks.append(json.loads(text))
                    except ValueError:
                        continue
            if chunks:
                yield chunks


ARCHIVES = ["wire-rig.tar.xz", "wire-vercel-ai.tar.xz", "wire-pydantic-ai.tar.xz"]


@pytest.mark.parametrize("archive", ARCHIVES)
def test_recorded_streams(archive: str) -> None:
    if not (DATA / archive).exists():
        pytest.skip(f"{archive} is not beside the repository (../shared/data)")
    streams = list(recorded(archive))
    assert len(streams) > 5
    for chunks in streams:
        for _, body, _ in put_together(chunks):
            assert body.get("role", "assistant") == "assistant"
            for call in body.get("tool_calls") or []:
                assert call["id"] and call["function"]["name"]

    @settings(max_examples=40, deadline=None)
    @given(which=st.sampled_from(range(len(streams))), data=st.data())
    def any_chunks(which: int, data: st.DataObject) -> None:
        check(streams[which], data)

    any_chunks()  # pylint: disable=no-value-for-parameter


def test_a_whole_call_that_is_said_again_counts_once() -> None:
    for arguments in ("{}", '{"city":"Oslo"}'):
        function = {"name": "f", "arguments": arguments}
        held: dict[str, Any] = {}
        for index in (0, 0, 0):
            call = {"index": index, "id": "c1", "type": "function", "function": dict(function)}
            merge(held, {"tool_calls": [call]})
        assert [call["function"] for call in held["tool_calls"]] == [function]


def test_equal_pieces_of_arguments_are_pieces() -> None:
    for said in (['{"a":', "1", "1", "}"], ["1", "1"], ['"a"', '"a"'], ["", "{}"], ["{", "{"]):
        held: dict[str, Any] = {}
        for piece in said:
            function = {"name": "f", "arguments": piece}
            merge(held, {"tool_calls": [{"index": 0, "id": "c1", "function": function}]})
        assert held["tool_calls"][0]["function"]["arguments"] == "".join(said)
    held = {}
    for piece in ("{}", "{}"):
        # Without id and name it is a piece, though no good one.
        merge(held, {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    assert held["tool_calls"][0]["function"]["arguments"] == "{}{}"
