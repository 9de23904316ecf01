"""The integration with the OpenAI SDK: a turn that is called again is stored and sent once."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai_clients import CALLS, RESULTS, Caller, bodies, user
from openai_server import Reply, Server, chunk, completion, error, text

import memexllm
from memexllm import errors

OLD = {"role": "system", "content": "old"}
NEW = {"role": "system", "content": "new"}
ANSWER = {"role": "assistant", "content": "a"}


@pytest.fixture
def url() -> str:
    """One engine is enough here."""
    return "memory:"


def fail(caller: Caller, server: Server, turn: list[Any], how: str = "error") -> None:
    """A call without a whole answer."""
    if how == "cut":
        server.say(Reply(chunks=[chunk({"role": "assistant", "content": "par"})]))
        caller.ask(turn, stream=True)
        return
    server.say(error(400))
    with pytest.raises(openai.BadRequestError):
        caller.ask(turn)


def complete(store: memexllm.Store) -> list[dict[str, Any]]:
    """What is stored but for answers that were cut off."""
    messages = store.threads.open("t").messages()
    return [message.body for message in messages if message.state == "complete"]


@pytest.mark.parametrize("how", ["error", "cut"])
@pytest.mark.parametrize(
    "turn", [[NEW, *user("q")], [OLD, *user("q")], [NEW, OLD, *user("q")], [*user("q"), NEW]]
)
@pytest.mark.parametrize("whole", [False, True])
def test_a_prompt_and_a_question(  # pylint: disable=too-many-arguments
    *,
    caller: Caller,
    server: Server,
    store: memexllm.Store,
    how: str,
    turn: list[Any],
    whole: bool,
) -> None:
    had = [OLD, *user("u"), ANSWER]
    store.threads.create(id="t").append(had)
    new = turn if turn[0] != OLD else turn[1:]
    given = [*had, *new] if whole else turn
    for _ in range(2):
        fail(caller, server, given, how)
    server.say(text("a"))
    caller.ask(given)
    assert complete(store) == [*had, *new, ANSWER]
    assert server.seen.count(user("q")[0]) == 1


@pytest.mark.parametrize("how", ["error", "cut"])
@pytest.mark.parametrize("before", [False, True])
def test_results_and_a_question(
    caller: Caller, server: Server, store: memexllm.Store, how: str, before: bool
) -> None:
    server.say(completion({"tool_calls": CALLS}, finish_reason="tool_calls"))
    caller.ask(user("do"))
    if before:
        with pytest.raises(errors.InvalidError):
            caller.ask(RESULTS[:1])
    turn = [*RESULTS, *user("and?")]
    for _ in range(2):
        fail(caller, server, turn, how)
    server.say(text("a"))
    caller.ask(turn)
    sent = [*user("do"), {"role": "assistant", "tool_calls": CALLS}, *turn]
    assert server.seen == sent
    assert complete(store) == [*sent, ANSWER]


@pytest.mark.parametrize("how", ["error", "cut"])
@pytest.mark.parametrize("had", [[], [*user("u"), ANSWER]])
def test_the_newest_turn_is_the_last_of_the_request(
    caller: Caller, server: Server, store: memexllm.Store, how: str, had: list[Any]
) -> None:
    if had:
        store.threads.create(id="t").append(had)
    for word in ("yes", "no"):
        fail(caller, server, user(word), how)
    server.say(text("a"))
    caller.ask(user("yes"))
    assert server.seen == [*had, *user("yes"), *user("no"), *user("yes")]
    assert complete(store) == [*server.seen, ANSWER]


def test_a_part_of_the_turn_is_another_turn(
    caller: Caller, server: Server, store: memexllm.Store
) -> None:
    store.threads.create(id="t").append([*user("u"), ANSWER])
    fail(caller, server, [*user("x"), *user("yes")])
    server.say(text("a"))
    caller.ask(user("yes"))
    assert server.seen[2:] == [*user("x"), *user("yes"), *user("yes")]


def test_what_its_owner_appended_is_no_turn(
    caller: Caller, server: Server, store: memexllm.Store
) -> None:
    store.threads.create(id="t").append([*user("u"), ANSWER])
    store.threads.open("t").append("user", "yes")
    server.say(text("a"))
    caller.ask(user("yes"))
    assert server.seen[2:] == [*user("yes"), *user("yes")]


def test_a_turn_of_which_a_part_was_deleted_is_another_turn(
    caller: Caller, server: Server, store: memexllm.Store
) -> None:
    thread = store.threads.create(id="t")
    thread.append([*user("u"), ANSWER])
    turn = [*user("x"), *user("y")]
    for gone in (3, 6):
        fail(caller, server, turn)
        thread.message(gone).delete()
    server.say(text("a"))
    caller.ask(turn)
    assert bodies(store)[2:] == [*user("y"), *user("x"), *turn, ANSWER]


def test_a_refused_turn_leaves_the_prompt_in_force(
    plain_caller: Caller, server: Server, store: memexllm.Store
) -> None:
    # Prompts that are next to each other are one prompt.
    thread = store.threads.create(id="t")
    thread.append(OLD)
    turn = [{"role": "developer", "content": "B"}, *user("q" * 400)]
    with openai.OpenAI(base_url=server.url, api_key="k") as other:
        small = Caller(other).remember(store=store, max_tokens=60)
        with pytest.raises(errors.LimitError) as caught:
            small.ask(turn)
    assert caught.value.details["stored"] is False
    assert thread.bodies() == [OLD]
    server.say(text("a"))
    plain_caller.remember(store=store, max_tokens=caught.value.details["needed"]).ask(turn)
    assert server.seen == [OLD, *turn]
