"""The integration with the OpenAI SDK: the whole conversation is recognised as it comes back."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai_clients import CALLS, RESULTS, Caller, ask, bodies, user
from openai_server import Reply, Server, chunk, completion, stream, text

import memexllm


@pytest.fixture
def url() -> str:
    """One engine is enough here."""
    return "memory:"


def cut_off(caller: Caller, server: Server, words: str) -> None:
    server.say(Reply(chunks=[chunk({"role": "assistant", "content": words})]))
    caller.ask(user("q1"), stream=True)


@pytest.mark.parametrize("partial", [True, False])
@pytest.mark.parametrize("middle", [True, False])
def test_an_answer_that_was_cut_off_may_be_there_or_not(  # pylint: disable=too-many-arguments
    *, caller: Caller, server: Server, store: memexllm.Store, partial: bool, middle: bool
) -> None:
    cut_off(caller, server, "abc")
    if middle:
        server.say(text("ok"))
        caller.ask(user("q2"))
    had = bodies(store)
    conversation = [body for body in had if partial or body["content"] != "abc"]
    server.say(text("done"))
    caller.ask([*conversation, *user("q3")])
    assert bodies(store) == [*had, *user("q3"), {"role": "assistant", "content": "done"}]
    assert server.seen == [body for body in had if body["content"] != "abc"] + user("q3")
    states = [message.state for message in store.threads.open("t").messages()]
    assert states.count("incomplete") == 1 and states[1] == "incomplete"


def test_several_cut_answers_and_one_that_came_whole(
    caller: Caller, server: Server, store: memexllm.Store
) -> None:
    # The same words, cut off twice and then whole: any of the cut ones may be missing.
    cut_off(caller, server, "abc")
    cut_off(caller, server, "abc")
    server.say(text("abc"))
    caller.ask(user("q1"))
    answer = {"role": "assistant", "content": "abc"}
    had = bodies(store)
    assert had == [*user("q1"), answer, answer, answer]
    for number in (1, 2, 3):
        server.say(text(f"a{number}"))
        caller.ask([*user("q1"), *[answer] * number, *bodies(store)[4:], *user(f"n{number}")])
        assert bodies(store)[-2:] == [*user(f"n{number}"), {**answer, "content": f"a{number}"}]
        assert store.threads.open("t").count() == 4 + 2 * number


def test_a_cut_answer_that_comes_back_last_asks_again(
    caller: Caller, server: Server, store: memexllm.Store
) -> None:
    cut_off(caller, server, "abc")
    server.say(text("done"))
    caller.ask(bodies(store))
    assert server.seen == user("q1")
    assert [message.state for message in store.threads.open("t").messages()] == [
        "complete",
        "incomplete",
        "complete",
    ]


def test_an_unfinished_input_that_comes_back_last_is_sent(
    caller: Caller, server: Server, store: memexllm.Store
) -> None:
    thread = store.threads.create(id="t")
    thread.append([*user("q"), {"role": "assistant", "content": "a"}])
    thread.append("user", "typing", state="incomplete")
    server.say(text("b"), text("c"))
    caller.ask(thread.bodies())
    assert server.seen == [*user("q"), {"role": "assistant", "content": "a"}, *user("typing")]
    caller.ask([*thread.bodies(), *user("more")])
    assert [body["content"] for body in server.seen] == ["q", "a", "typing", "b", "more"]


def test_half_a_call_may_be_there_or_not(
    caller: Caller, server: Server, store: memexllm.Store
) -> None:
    half: Any = [{**CALLS[0], "function": {"name": "f", "arguments": '{"a'}}]
    server.say(completion({"content": None, "tool_calls": half}, finish_reason="length"))
    message = caller.ask(user("do")).choices[0].message
    for number, said in enumerate([[message], [bodies(store)[1]], []]):
        server.say(text(f"a{number}"))
        caller.ask([*user("do"), *said, *bodies(store)[2:], *user(f"n{number}")])
        assert len(bodies(store)) == 4 + 2 * number
    assert not any("tool_calls" in body for body in server.seen)


def streamed(*pieces: dict[str, Any], reason: str = "stop") -> Reply:
    return Reply(chunks=[*[chunk(piece) for piece in pieces], chunk({}, reason)])


def typeless(call: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in call.items() if name != "type"}


CALLING = [{"index": at, **call} for at, call in enumerate(CALLS)]
FINAL = {
    "text": streamed({"role": "assistant", "content": "a"}, {"content": "b"}),
    "no role": streamed({"role": "", "content": "a"}),
    "calls": streamed({"role": "assistant", "content": None, "tool_calls": CALLING}),
    "calls without a type": streamed(
        {"role": "assistant", "tool_calls": [typeless(call) for call in CALLING]}
    ),
    "calls and an empty text": streamed(
        {"role": "assistant", "content": ""}, {"tool_calls": CALLING}
    ),
    "a refusal": streamed({"role": "assistant", "content": None, "refusal": "no"}),
    "a split character": stream("a\ud83d", "\ude00b"),
    "half a character": stream("a\ud83d"),
    "reasoning": streamed({"role": "assistant", "reasoning_content": "r"}, {"content": "x"}),
    "citations": streamed(
        {
            "role": "assistant",
            "content": "x",
            "annotations": [
                {
                    "type": "url_citation",
                    "url_citation": {"url": "u", "title": "t", "start_index": 0, "end_index": 1},
                }
            ],
        }
    ),
}


@pytest.mark.parametrize("dumped", [False, True])
@pytest.mark.parametrize("reply", FINAL.values(), ids=FINAL)
def test_what_the_sdk_makes_of_a_stream_is_recognised(
    client: Any, server: Server, store: memexllm.Store, reply: Reply, dumped: bool
) -> None:
    server.say(reply, text("done"))
    with client.chat.completions.stream(
        model="gpt-test", messages=user("do"), thread_id="t"
    ) as events:
        for _ in events:
            pass
        final = events.get_final_completion().choices[0].message
    had = bodies(store)
    new = RESULTS if final.tool_calls else user("and")
    ask(client, [*user("do"), final.model_dump() if dumped else final, *new])
    assert bodies(store) == [*had, *new, {"role": "assistant", "content": "done"}]
    assert len(server.seen) == 2 + len(new)
    if final.tool_calls:
        assert server.seen[1]["tool_calls"] == CALLS


@pytest.mark.parametrize("dumped", [False, True])
def test_a_message_of_a_stream_is_sent_as_the_api_takes_it(
    plain_client: openai.OpenAI, server: Server, store: memexllm.Store, dumped: bool
) -> None:
    server.say(FINAL["calls without a type"], text("done"), text("again"))
    asked: Any = user("do")
    with plain_client.chat.completions.stream(model="gpt-test", messages=asked) as events:
        final = events.get_final_completion().choices[0].message
    client = memexllm.integrations.openai.with_history(store=store)(plain_client)
    ask(client, [*user("do"), final.model_dump() if dumped else final, *RESULTS])
    assert server.seen[1]["tool_calls"] == CALLS
    # One that somebody else stored as it was goes out clean, too.
    typed = [{"index": at, **call} for at, call in enumerate(CALLS)]
    thread = store.threads.create(id="other")
    thread.append([*user("do"), {"role": "assistant", "tool_calls": typed}])
    ask(client, RESULTS, thread)
    assert server.seen[1] == {"role": "assistant", "tool_calls": CALLS}
