"""What all tests share: a store of each engine, and the data beside the repository."""

# pylint: disable=missing-function-docstring,redefined-outer-name,import-outside-toplevel

from __future__ import annotations

import lzma
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from postgresql_server import URL as POSTGRESQL
from postgresql_server import psql
from redis_server import REASON as NO_REDIS
from redis_server import URL as REDIS

import memexllm

if TYPE_CHECKING:
    import openai
    from openai_clients import Caller
    from openai_server import Server

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(params=["memory", "sqlite", "lmdb", "file", "postgresql", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty store of each engine."""
    if request.param == "postgresql":
        if not POSTGRESQL:
            pytest.skip("no PostgreSQL server is running; run make services, and see what it says")
        schema = f"t{uuid.uuid4().hex}"
        yield f"{POSTGRESQL}?schema={schema}"
        psql(POSTGRESQL, f"SET client_min_messages = error; DROP SCHEMA IF EXISTS {schema} CASCADE")
    elif request.param == "redis":
        if not REDIS:
            pytest.skip(NO_REDIS)
        yield f"{REDIS}?prefix=t{uuid.uuid4().hex}"
    else:
        yield "memory:" if request.param == "memory" else f"{request.param}:///{tmp_path}/chat.db"


@pytest.fixture
def schema() -> Iterator[str]:
    """The name of a PostgreSQL schema that is dropped at the end."""
    name = f"t{uuid.uuid4().hex}"
    yield name
    psql(POSTGRESQL, f"SET client_min_messages = error; DROP SCHEMA IF EXISTS {name} CASCADE")


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


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that speaks the chat-completions API."""
    from openai_server import serve

    with serve() as running:
        yield running


@pytest.fixture
def plain_client(server: Server) -> Iterator[openai.OpenAI]:
    """A client of it without a memory."""
    import openai

    with openai.OpenAI(api_key="k", base_url=server.url, max_retries=2) as client:
        yield client


@pytest.fixture
def client(plain_client: openai.OpenAI, store: memexllm.Store) -> Any:
    """A client of it with a memory."""
    from memexllm.integrations.openai import with_history

    return with_history(store=store)(plain_client)


@pytest.fixture(params=["sync", "async"])
def plain_caller(request: pytest.FixtureRequest, server: Server) -> Iterator[Caller]:
    """A client of each kind without a memory."""
    from openai_clients import calling

    with calling(request.param, server.url) as caller:
        yield caller


@pytest.fixture
def caller(plain_caller: Caller, store: memexllm.Store) -> Caller:
    """A client of each kind with a memory."""
    return plain_caller.remember(store=store)
