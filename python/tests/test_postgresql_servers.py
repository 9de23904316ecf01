"""PostgreSQL servers that are killed, frozen, promoted, encrypted, spread over two."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postgresql_server import BIN, REASON, PostgreSQLServer, folder_of_servers, psql
from server_load import ENDLESS_WRITER, write_during

import memexllm
from memexllm import errors

pytestmark = pytest.mark.skipif(not BIN, reason=REASON)

# make soak sets it to 100.
STOPS = int(os.environ.get("MEMEX_POSTGRESQL_STOPS", "25"))


@pytest.fixture
def folder() -> Iterator[Path]:
    with folder_of_servers() as found:
        yield found


@pytest.fixture
def server(folder: Path) -> PostgreSQLServer:
    made = PostgreSQLServer(folder / "one").create()
    made.start()
    return made


def test_immediate_stops_under_load(server: PostgreSQLServer) -> None:
    def stop_and_start() -> None:
        for number in range(STOPS):
            time.sleep(0.05 + number % 7 * 0.03)
            server.stop("immediate")
            server.start()

    writers = write_during(server.url, stop_and_start)
    acknowledged = sum(len(writer.acknowledged) for writer in writers)
    print(f"{STOPS} stops, {acknowledged} acknowledged, {sum(w.unknown for w in writers)} unknown")
    assert acknowledged > STOPS


def test_ended_sessions_under_load(server: PostgreSQLServer) -> None:
    def end_sessions() -> None:
        for _ in range(40):
            time.sleep(0.03)
            psql(server.url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                 "WHERE application_name = 'memex'")  # fmt: skip

    write_during(server.url, end_sessions)


def test_killed_clients(server: PostgreSQLServer) -> None:
    with memexllm.open(server.url) as store:
        store.threads.create(id="shared")
    acknowledged: list[int] = []
    for number in range(10):
        with subprocess.Popen(
            [sys.executable, "-c", ENDLESS_WRITER, server.url, str(number)], stdout=subprocess.PIPE
        ) as writer:
            assert writer.stdout is not None
            lines = [writer.stdout.readline() for _ in range(10 + number)]
            writer.send_signal(signal.SIGKILL)
            lines += writer.stdout.read().split()
            acknowledged += [int(line) for line in lines if line.strip()]
    with memexllm.open(server.url) as store:
        messages = list(store.threads.open("shared").messages())
        assert [message.seq for message in messages] == list(range(1, len(messages) + 1))
        assert len(set(acknowledged)) == len(acknowledged)
        assert max(acknowledged) <= len(messages)
        assert store.command("check")["ok"]


@pytest.mark.parametrize("extra", ["", "?prepared=false"])
def test_a_server_that_hangs_keeps_nobody_longer_than_the_deadline(
    server: PostgreSQLServer, extra: str
) -> None:
    with memexllm.open(server.url + extra, timeout=0.5) as store:
        thread = store.threads.create(id="t")
        thread.append("user", "before")

        def last(call: Callable[[], object], *kinds: type[BaseException]) -> None:
            began = time.monotonic()
            with pytest.raises(kinds):
                call()
            took = time.monotonic() - began
            assert took < 0.6, f"within 100 ms of the deadline, and it took {took:.3f} s"

        with server.frozen():
            last(
                lambda: thread.append("user", "?", idempotency_key="k"), errors.OutcomeUnknownError
            )
            last(thread.count, errors.TimedOutError, errors.UnavailableError)
            last(
                lambda: thread.append("user", "!"),
                errors.OutcomeUnknownError,
                errors.UnavailableError,
            )
            last(lambda: memexllm.open(server.url, timeout=0.5), errors.UnavailableError)
            worker = threading.Timer(0.1, store.interrupt)
            worker.start()
            last(thread.count, errors.CancelledError)
        receipt = thread.append("user", "?", idempotency_key="k")
        texts = [message.content for message in thread.messages()]
        assert texts.count("?") == 1 and texts[receipt.seq - 1] == "?" and texts[0] == "before"


def test_a_signal_ends_the_wait_of_opening(server: PostgreSQLServer) -> None:
    class Alarm(Exception):
        """What the handler raises."""

    def ring(_number: int, _frame: object) -> None:
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    began = time.monotonic()
    try:
        with server.frozen():
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(Alarm):
                memexllm.open(server.url, timeout=5)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - began < 3


def test_promotion_of_a_replica(server: PostgreSQLServer, folder: Path) -> None:
    psql(server.url, "ALTER SYSTEM SET synchronous_standby_names = '*'")
    standby = server.replica(folder / "two")
    standby.start()
    psql(server.url, "SELECT pg_reload_conf()")
    for _ in range(200):
        if (
            psql(server.url, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'")
            == "1"
        ):
            break
        time.sleep(0.05)
    else:
        pytest.fail("the standby does not follow")
    both = f"postgresql://postgres@127.0.0.1:{standby.port},127.0.0.1:{server.port}/postgres"

    def fail_over() -> None:
        time.sleep(0.5)
        with memexllm.open(f"{standby.url}", read_only=True) as store:
            assert store.threads.get("a") is not None, "a standby can be read"
        server.stop("immediate")
        time.sleep(0.3)
        # What the new primary waits for must not be the old one.
        standby.run("pg_ctl", "-D", str(standby.folder), "-w", "promote")
        psql(standby.url, "ALTER SYSTEM SET synchronous_standby_names = ''")
        psql(standby.url, "SELECT pg_reload_conf()")
        time.sleep(1)

    writers = write_during(both, fail_over)
    assert all(len(writer.acknowledged) > 10 for writer in writers)


def test_partitions_on_a_second_server(server: PostgreSQLServer, folder: Path) -> None:
    second = PostgreSQLServer(folder / "two").create()
    second.start()
    url = server.url + "?schema=memex&partitions=2"
    memexllm.open(url).close()
    # The second server gets a table like the partition, and its indexes.
    dump = subprocess.run(
        [f"{BIN}/pg_dump", "-d", server.url, "--schema-only", "-t", "memex.messages_1"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    lines = [line for line in dump.splitlines() if "ATTACH PARTITION" not in line]
    psql(second.url, "CREATE SCHEMA memex")
    subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", second.url],
                   input="\n".join(lines), check=True, text=True, capture_output=True)  # fmt: skip
    psql(server.url, f"""
        CREATE EXTENSION postgres_fdw;
        CREATE SERVER second FOREIGN DATA WRAPPER postgres_fdw
          OPTIONS (host '127.0.0.1', port '{second.port}', dbname 'postgres');
        CREATE USER MAPPING FOR postgres SERVER second OPTIONS (user 'postgres');
        DROP TABLE memex.messages_1;
        IMPORT FOREIGN SCHEMA memex LIMIT TO (messages_1) FROM SERVER second INTO memex;
        ALTER TABLE memex.messages ATTACH PARTITION memex.messages_1
          FOR VALUES WITH (MODULUS 2, REMAINDER 1)""")  # fmt: skip
    with memexllm.open(url) as store:
        for number in range(20):
            thread = store.threads.create(id=f"t{number}")
            for text in ("one", "two", "three"):
                thread.append("user", text, id=f"{text}-id", idempotency_key=text)
            assert thread.append("user", "two", id="two-id", idempotency_key="two").duplicate
            thread.append([{"role": "user", "content": str(n)} for n in range(20)])
            assert [message.content for message in thread.messages(last=2)] == ["18", "19"]
            thread.message(2).delete()
            assert thread.message("three-id").seq == 3
        assert store.command("check") == {"ok": True, "problems": []}
    here = int(psql(server.url, "SELECT count(*) FROM memex.messages_0"))
    there = int(psql(second.url, "SELECT count(*) FROM memex.messages_1"))
    assert here + there == 20 * 23 and here and there
    plan = psql(server.url, "EXPLAIN SELECT 1 FROM memex.messages WHERE tenant = '' AND thread = 5")
    assert plan.count("Scan") == 1, "one partition is asked"


def test_encryption(server: PostgreSQLServer, folder: Path) -> None:
    with pytest.raises(errors.UnavailableError, match="sslmode"):
        memexllm.open(server.url + "?sslmode=require")
    key, certificate = folder / "server.key", folder / "server.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    if os.getuid() == 0:
        owner = folder.stat()
        os.chown(key, owner.st_uid, owner.st_gid)
    key.chmod(0o600)
    server.stop("fast")
    server.start("ssl=on", f"ssl_key_file={key}", f"ssl_cert_file={certificate}")
    named = server.url.replace("127.0.0.1", "localhost")
    for url in (
        server.url + "?sslmode=require",
        f"{named}?sslmode=verify-full&sslrootcert={certificate}",
    ):
        with memexllm.open(url) as store:
            assert store.stats()["encrypted"] is True
    with memexllm.open(server.url + "?sslmode=disable") as store:
        assert store.stats()["encrypted"] is False
    with pytest.raises(errors.UnavailableError, match="sslmode"):
        memexllm.open(f"{server.url}?sslmode=verify-full&sslrootcert={certificate}")


def test_a_full_disk(server: PostgreSQLServer, folder: Path) -> None:
    small = folder / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(small)],
        capture_output=True, check=False,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here; it takes root")
    try:
        os.chown(small, folder.stat().st_uid, folder.stat().st_gid)
        psql(server.url, f"CREATE TABLESPACE small LOCATION '{small}'")
        psql(server.url, "CREATE DATABASE full_soon TABLESPACE small")
        body = {"role": "user", "content": os.urandom(20_000).hex()}
        stored = 0
        with memexllm.open(server.url_of("full_soon")) as store:
            thread = store.threads.create(id="t")
            with pytest.raises(errors.FullError, match="disk is full"):
                while stored < 2_000:
                    thread.append(body)
                    stored += 1
            with pytest.raises(errors.FullError):
                thread.append(body)
            assert thread.count() == stored > 10
            subprocess.run(["mount", "-o", "remount,size=64m", str(small)], check=True)
            assert thread.append(body).seq == stored + 1
            assert store.command("check") == {"ok": True, "problems": []}
    finally:
        server.stop("immediate")
        subprocess.run(["umount", str(small)], check=True)


def test_passwords(server: PostgreSQLServer) -> None:
    psql(server.url, "CREATE ROLE somebody LOGIN PASSWORD 'geheim'")
    psql(server.url, "GRANT CREATE ON DATABASE postgres TO somebody")
    rules = server.folder / "pg_hba.conf"
    rules.write_text(
        "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    )
    psql(server.url, "SELECT pg_reload_conf()")
    time.sleep(0.2)
    memexllm.open(server.url_of("postgres", "somebody", "geheim") + "?schema=theirs").close()
    for password in ("falsch", ""):
        with pytest.raises(errors.DeniedError) as caught:
            memexllm.open(server.url_of("postgres", "somebody", password))
        assert "falsch" not in str(caught.value)
