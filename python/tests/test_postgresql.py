"""PostgreSQL: what people see in its tables, what it refuses, processes, poolers."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from postgresql_server import REASON, URL, free_port, psql
from test_concurrency import together

import memexllm
from memexllm import errors, testing

pytestmark = pytest.mark.skipif(not URL, reason=REASON)

WRITER = """
import sys, memexllm
url, name, count = sys.argv[1:]
with memexllm.open(url) as store:
    thread = store.threads.open("shared")
    for number in range(int(count)):
        thread.append("user", f"{name} {number}", idempotency_key=f"{name}-{number}")
"""


@pytest.fixture
def url(schema: str) -> str:
    return f"{URL}?schema={schema}"


def test_the_tables_are_for_people(url: str, schema: str) -> None:
    with memexllm.open(url) as store:
        thread = store.session(tenant="acme").threads.create(id="support", title="A title")
        body = {"role": "user", "content": "Grüße \U0001f680"}
        thread.append(body, metadata={"lang": "de"})
        thread.append("assistant", "Hello", pinned=True)
    view = f"SELECT tenant, thread, seq, rev, state, role, pinned FROM {schema}.conversations"
    rows = psql(URL, view + " ORDER BY seq").splitlines()
    assert rows[0] == "acme|support|1|1|complete|user|f"
    assert rows[1] == "acme|support|2|2|complete|assistant|t"
    query = f'FROM {schema}.conversations WHERE metadata @> \'{{"lang": "de"}}\''
    assert psql(URL, f"SELECT body::jsonb ->> 'content' {query}") == "Grüße \U0001f680"
    assert psql(URL, f"SELECT created_at > now() - interval '1 minute' {query}") == "t"
    assert psql(URL, f"SELECT title FROM {schema}.threads") == "A title"


def test_bytes_are_stored_as_they_came(url: str, schema: str) -> None:
    bodies = [
        '{"role":"user",  "content":"a\\u0000b", "z":1e2, "a":-0}',
        '{"role":"user","content":"\\ud83d\\ude80 \U0001f680"}',
        '{ "role" : "user" , "content" : "" }',
    ]
    with memexllm.open(url) as store:
        thread = store.threads.create(title="a\0b", metadata={"k": "\0"})
        for body in bodies:
            thread.append(body.encode())
        again = store.threads.open(thread.id)
        assert again.bodies() == [json.loads(body) for body in bodies]
        stored = psql(URL, f"SELECT encode(body, 'hex') FROM {schema}.messages ORDER BY seq")
        assert [bytes.fromhex(line).decode() for line in stored.splitlines()] == bodies
        assert again.title == "a\0b" and again.metadata == {"k": "\0"}


def test_the_cases_of_the_checker(url: str) -> None:
    report = testing.check_storage_backend(url)
    assert not report.failed and report.passed >= 27, report.cases


def test_processes_and_threads_append_to_one_thread(url: str) -> None:
    with memexllm.open(url) as store:
        thread = store.threads.create(id="shared")
        writers = [
            # pylint: disable-next=consider-using-with
            subprocess.Popen([sys.executable, "-c", WRITER, url, f"p{name}", "100"])
            for name in range(4)
        ]

        def append(name: int) -> None:
            for number in range(50):
                thread.append("user", f"t{name} {number}")

        assert not together([lambda n=n: append(n) for n in range(8)])  # type: ignore[misc]
        assert [writer.wait(120) for writer in writers] == [0] * 4
        messages = list(thread.messages())
        assert [message.seq for message in messages] == list(range(1, 801))
        seen: dict[str, int] = {}
        for message in messages:
            name, _, number = message.content.partition(" ")
            assert int(number) == seen.get(name, -1) + 1
            seen[name] = int(number)
        assert store.command("check") == {"ok": True, "problems": []}


def test_processes_create_the_schema_at_once(url: str) -> None:
    code = "import sys, memexllm; memexllm.open(sys.argv[1]).threads.create(); print('made')"
    makers = [
        # pylint: disable-next=consider-using-with
        subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    assert [maker.communicate(timeout=60)[0] for maker in makers] == ["made\n"] * 6
    with memexllm.open(url, create=False) as store:
        assert len(list(store.threads.list())) == 6


def test_a_forked_child_leaves_the_connections_alone(url: str) -> None:
    with memexllm.open(url) as store:
        thread = store.threads.create()
        thread.append("user", "before")
        child = os.fork()
        if child == 0:
            status = 1
            try:
                thread.append("user", "from the child")
            except errors.ForkedError:
                with memexllm.open(url) as own:
                    own.threads.open(thread.id).append("user", "of the child's own")
                    status = 0
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        thread.append("user", "after")
        assert [m.content for m in thread.messages()] == ["before", "of the child's own", "after"]


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        "postgresql:no-slashes",
        "postgresql://u:geheim%zz@127.0.0.1/x",
        "postgresql://u:geheim@127.0.0.1/x?nonsense=1",
        "postgresql://u:geheim@127.0.0.1/x?pool_size=0",
        "postgresql://u:geheim@127.0.0.1/x?pool_size=many",
        "postgresql://u:geheim@127.0.0.1/x?prepared=maybe",
        "postgresql://u:geheim@127.0.0.1/x?schema=a-b",
        "postgresql://u:geheim@127.0.0.1/x?schema=pg_mine",
        "postgresql://u:geheim@a,b/x?port=1,2,3",
    ],
)
def test_wrong_urls(wrong: str) -> None:
    with pytest.raises(errors.InvalidError) as caught:
        memexllm.open(wrong)
    assert "geheim" not in str(caught.value) and "geheim" not in repr(caught.value)


def test_nobody_listens() -> None:
    began = time.monotonic()
    with pytest.raises(errors.UnavailableError, match="no server of the URL answers"):
        memexllm.open(f"postgresql://u:geheim@127.0.0.1:{free_port()}/x", timeout=5)
    assert time.monotonic() - began < 4, "a refused connection is not waited for"


def test_no_such_database() -> None:
    with pytest.raises(errors.NotFoundError, match="createdb"):
        memexllm.open(URL.rsplit("/", 1)[0] + "/no_such_database")


def test_no_such_user() -> None:
    host = URL.rsplit("@", 1)[1]
    with pytest.raises(errors.DeniedError):
        memexllm.open(f"postgresql://nobody_here:geheim@{host}")


def test_no_permission(url: str, schema: str) -> None:
    role = f"r{schema}"
    psql(URL, f"CREATE ROLE {role} LOGIN")
    try:
        memexllm.open(url).close()
        host = url.rsplit("@", 1)[1]
        with pytest.raises(errors.DeniedError, match="grants"):
            memexllm.open(f"postgresql://{role}@{host}")
        with pytest.raises(errors.DeniedError, match="grants"):
            memexllm.open(f"postgresql://{role}@{host.replace(schema, schema[:20])}")
    finally:
        psql(URL, f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_newer_schema_is_refused(url: str, schema: str) -> None:
    memexllm.open(url).close()
    psql(URL, f"UPDATE {schema}.format SET version = 2")
    with pytest.raises(errors.NewerFormatError, match="update the library"):
        memexllm.open(url)
    assert psql(URL, f"SELECT version FROM {schema}.format") == "2"


def test_tables_of_another_program_are_left_alone(url: str, schema: str) -> None:
    psql(URL, f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.messages(x int)")
    with pytest.raises(errors.InvalidError, match="another program"):
        memexllm.open(url)
    assert psql(URL, f"SELECT count(*) FROM pg_tables WHERE schemaname = '{schema}'") == "1"


def test_what_is_not_there_is_not_created(url: str, schema: str) -> None:
    with pytest.raises(errors.NotFoundError):
        memexllm.open(url, create=False)
    with pytest.raises(errors.NotFoundError):
        memexllm.open(url, read_only=True)
    assert psql(URL, f"SELECT to_regnamespace('{schema}') IS NULL") == "t"


def test_read_only(url: str) -> None:
    with memexllm.open(url) as store:
        store.threads.create(id="t").append("user", "x")
    with memexllm.open(url, read_only=True) as store:
        assert store.threads.open("t").bodies() == [{"role": "user", "content": "x"}]
        with pytest.raises(errors.StorageIOError):
            store.threads.open("t").append("user", "y")


def test_without_libpq(tmp_path: Path) -> None:
    (tmp_path / "libpq.so.5").write_bytes(b"no library")
    code = (
        "import sys, memexllm\n"
        "try: memexllm.open(sys.argv[1])\n"
        "except memexllm.errors.UnavailableError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, URL], capture_output=True, text=True, check=True,
        env={**os.environ, "LD_LIBRARY_PATH": str(tmp_path)},
    )  # fmt: skip
    assert "libpq5" in done.stdout


def test_erasing_is_refused_before_anything_is_deleted(url: str) -> None:
    with memexllm.open(url) as store:
        thread = store.threads.create()
        thread.append("user", "x")
        with pytest.raises(errors.UnsupportedError):
            thread.delete(erase=True)
        assert thread.count() == 1


def test_the_password_is_nowhere(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = url.replace("postgres@", "postgres:geheim@")
    with memexllm.open(secret) as store:
        thread = store.threads.create()
        thread.append("user", "x")
        shown = (
            repr(store) + repr(thread) + repr(store.command("stats")) + repr(memexllm.describe())
        )
    assert "geheim" not in shown and "geheim" not in caplog.text


# --- poolers -------------------------------------------------------------------------------------


@pytest.fixture
def pooler(tmp_path: Path) -> Iterator[str]:
    """pgbouncer in transaction mode, two sessions of the server for everybody."""
    program = shutil.which("pgbouncer")
    if program is None:
        pytest.skip("pgbouncer is not installed")
    port = free_port()
    address, database = URL.rsplit("@", 1)[1].split("/")
    host, _, server_port = address.partition(":")
    tmp_path.joinpath("users").write_text('"postgres" ""\n', encoding="ascii")
    tmp_path.joinpath("ini").write_text(
        f"[databases]\n{database} = host={host} port={server_port} dbname={database}\n[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = trust\n"
        "pool_mode = transaction\n"
        f"auth_file = {tmp_path}/users\ndefault_pool_size = 2\nmax_client_conn = 100\n"
        "unix_socket_dir =\nserver_reset_query = DISCARD ALL\nserver_reset_query_always = 1\n",
        encoding="ascii",
    )
    for path in [tmp_path, *tmp_path.parents][:3]:
        path.chmod(0o755)
    command = [program, "-q", str(tmp_path / "ini")]
    if os.getuid() == 0:
        command = ["runuser", "-u", "postgres", "--", *command]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as running:
        through = f"postgresql://postgres@127.0.0.1:{port}/{database}"
        for _ in range(100):
            answer = ["psql", "-d", through, "-c", "SELECT 1"]
            if subprocess.run(answer, capture_output=True, check=False).returncode == 0:
                break
            time.sleep(0.05)
        yield through
        running.terminate()


def test_behind_a_pooler_of_transactions(pooler: str, schema: str) -> None:
    url = f"{pooler}?schema={schema}&prepared=false"
    report = testing.check_storage_backend(url)
    assert not report.failed, report.cases
    with memexllm.open(url) as store:
        thread = store.threads.create()

        def append() -> None:
            for _ in range(50):
                thread.append("user", "x")

        assert not together([append] * 8)
        assert thread.count() == 400


def test_a_pooler_without_prepared_false_says_so(pooler: str, schema: str) -> None:
    with pytest.raises(errors.UnsupportedError, match="prepared=false"):
        memexllm.open(f"{pooler}?schema={schema}")
