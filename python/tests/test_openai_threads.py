"""The integration with the OpenAI SDK: what may be given as thread_id."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

import pytest
from openai_clients import Caller, user
from openai_server import Server

import memexllm
from memexllm import errors


def test_a_thread_of_a_transaction_is_refused(
    caller: Caller, server: Server, store: memexllm.Store
) -> None:
    store.threads.create(id="t").append("user", "before")
    with store.transaction() as transaction:
        for thread in (transaction.threads.open("t"), transaction.threads.create()):
            with pytest.raises(errors.InvalidError, match="transaction"):
                caller.ask(user("x"), thread)
        assert not server.requests
    assert store.threads.open("t").bodies() == user("before")
