"""The integration with the OpenAI SDK: the limit that an error asks for is enough, and no more."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai_clients import CALLS, RESULTS, ask, user
from openai_server import Server, text

import memexllm
from memexllm import errors, strategies
from memexllm.integrations.openai import with_history

CALL = {"role": "assistant", "content": None, "tool_calls": CALLS}
PROMPT = {"role": "system", "content": "s" * 90}
LATE = [*user("never mind"), {"role": "assistant", "content": "as you like"}]
FIFO_1 = {"strategy": strategies.fifo(1)}
TOKENS_40 = {"max_tokens": 40}


@pytest.fixture
def url() -> str:
    """One engine is enough here."""
    return "memory:"


def limited(limit: dict[str, Any], to: int) -> dict[str, Any]:
    """The same limit with another number."""
    if "max_tokens" in limit:
        return {"max_tokens": to}
    step = limit["strategy"]
    return {"strategy": {**step, "last" if step["type"] == "fifo" else "max_tokens": to}}


def number(limit: dict[str, Any]) -> int:
    step: dict[str, Any] = limit.get("strategy", limit)
    return int(step.get("last") or step["max_tokens"])


class Asker:
    """Asks in copies of a thread, with clients of different limits."""

    def __init__(self, server: Server, store: memexllm.Store) -> None:
        self.server = server
        self.store = store

    def ask(self, thread: memexllm.Thread, turn: list[Any], limit: dict[str, Any]) -> list[Any]:
        """The request of a call in a copy of a thread."""
        had = thread.bodies()
        copy = thread.fork()
        with openai.OpenAI(api_key="k", base_url=self.server.url, max_retries=0) as plain:
            client = with_history(store=self.store, **limit)(plain)
            self.server.script[:] = [text("ok")]
            try:
                ask(client, turn, copy)
            except errors.LimitError as error:
                assert error.details["stored"] is False and copy.bodies() == had
                raise
        return self.server.seen

    def check(self, thread: memexllm.Thread, turn: list[Any], limit: dict[str, Any]) -> int:
        """How much a refused turn needs: that is enough, and one less is not."""
        with pytest.raises(errors.LimitError) as caught:
            self.ask(thread, turn, limit)
        details = caught.value.details
        needed = int(details["needed"])
        assert details["limit"] == number(limit) < needed
        assert details["messages"] and set(details["messages"]) <= set(range(len(turn)))
        assert len(details["messages"]) == len(details["reasons"])
        # What it says is what its details say.
        assert [int(n) for n in re.findall(r"\b\d+\b", str(caught.value))[-2:]] in (
            [needed, number(limit)],
        )
        if needed - 1 > number(limit):
            with pytest.raises(errors.LimitError) as again:
                self.ask(thread, turn, limited(limit, needed - 1))
            assert again.value.details["needed"] == needed
        self.ask(thread, turn, limited(limit, needed))
        return needed


@pytest.fixture
def asker(server: Server, store: memexllm.Store) -> Iterator[Asker]:
    """Asks in a new store."""
    yield Asker(server, store)


@pytest.mark.parametrize("turn_first", [[], [PROMPT], [{**PROMPT, "role": "developer"}]])
@pytest.mark.parametrize("late", [[], LATE, LATE[:1]])
@pytest.mark.parametrize("turn_last", [[], user("and?")])
@pytest.mark.parametrize("limit", [TOKENS_40, {"strategy": strategies.token_budget(40)}, FIFO_1])
def test_results_need_their_calls(  # pylint: disable=too-many-arguments
    *,
    asker: Asker,
    turn_first: list[Any],
    late: list[Any],
    turn_last: list[Any],
    limit: dict[str, Any],
) -> None:
    thread = asker.store.threads.create()
    thread.append([{"role": "system", "content": "old"}, *user("hi"), CALL, *late])
    needed = asker.check(thread, [*turn_first, *RESULTS, *turn_last], limit)
    if limit is FIFO_1:
        assert needed == 3 + len(late) + len(turn_last)


def test_a_result_that_fifo_did_not_look_for_is_over_the_limit(asker: Asker) -> None:
    thread = asker.store.threads.create()
    thread.append([*user("hi"), {**CALL, "tool_calls": CALLS[:1]}])
    with pytest.raises(
        errors.LimitError, match="needs 3 messages, fifo keeps the last 1;"
    ) as caught:
        asker.ask(thread, [RESULTS[0], *user("x")], FIFO_1)
    assert (
        caught.value.details["reasons"] == ["fifo", "fifo"][: len(caught.value.details["messages"])]
    )
    assert asker.check(thread, [RESULTS[0], *user("x")], FIFO_1) == 3


def test_a_prompt_alone_over_the_budget_names_what_the_turn_needs(asker: Asker) -> None:
    thread = asker.store.threads.create()
    thread.append([*user("hi"), CALL])
    asker.check(thread, [PROMPT, *RESULTS], {"max_tokens": 10})
    # What the API would refuse is no matter of a budget.
    with pytest.raises(errors.InvalidError, match="results"):
        asker.ask(thread, [PROMPT, RESULTS[0]], {"max_tokens": 10})
    with pytest.raises(errors.InvalidError, match="no call"):
        asker.ask(thread, [*user("x" * 99), {**RESULTS[0], "tool_call_id": "c9"}], TOKENS_40)


@pytest.mark.parametrize("new", [True, False])
def test_a_prompt_that_the_turn_replaces_needs_nothing(asker: Asker, new: bool) -> None:
    turn = [PROMPT, *user("a" * 100), {"role": "system", "content": "new"}]
    thread = asker.store.threads.create()
    if not new:
        thread.append([*user("q"), {"role": "assistant", "content": "a"}])
    for limit in (TOKENS_40, {"max_tokens": 5}):
        asker.check(thread, turn, limit)


def test_the_limit_that_is_passed_is_named(asker: Asker) -> None:
    thread = asker.store.threads.create()
    thread.append([*user("hi"), CALL])
    both = [strategies.fifo(1), strategies.token_budget(500)]
    with pytest.raises(errors.LimitError, match="needs 3 messages"):
        asker.ask(thread, RESULTS, {"strategy": both})
    both = [strategies.fifo(100), strategies.token_budget(15)]
    with pytest.raises(errors.LimitError, match="15 are allowed"):
        asker.ask(thread, RESULTS, {"strategy": both})


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_turn_in_any_thread(asker: Asker, data: st.DataObject) -> None:
    def words() -> str:
        return "w" * data.draw(st.integers(0, 200))

    def calling(count: int) -> dict[str, Any]:
        return {**CALL, "tool_calls": CALLS[:count]}

    thread = asker.store.threads.create()
    waiting = 0
    for kind in data.draw(st.lists(st.sampled_from(["system", "user", "assistant", "calls"]))):
        if kind == "calls":
            waiting = data.draw(st.integers(1, 2))
            thread.append(calling(waiting))
            if data.draw(st.booleans()):
                for body in RESULTS[:waiting]:
                    thread.append({**body, "content": words()}, pinned=data.draw(st.booleans()))
                waiting = 0
        else:
            state: Any = "incomplete" if data.draw(st.integers(0, 4)) == 0 else "complete"
            pinned = data.draw(st.integers(0, 4)) == 0
            thread.append({"role": kind, "content": words()}, pinned=pinned, state=state)
    turn = [{**body, "content": words()} for body in RESULTS[:waiting]]
    if data.draw(st.booleans()):
        turn.insert(
            0, {"role": data.draw(st.sampled_from(["system", "developer"])), "content": "p"}
        )
    if not waiting or data.draw(st.booleans()):
        # Never what the thread begins with: that would be the conversation again, and no turn.
        turn.append({"role": "user", "content": "new" + words()})
    limit = data.draw(
        st.sampled_from(
            [
                {"strategy": strategies.fifo(data.draw(st.integers(1, 4)))},
                {"max_tokens": data.draw(st.integers(1, 150))},
            ]
        )
    )
    try:
        asker.ask(thread, turn, limit)
    except errors.LimitError:
        asker.check(thread, turn, limit)
