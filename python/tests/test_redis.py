"""Redis: what a store says of itself, what is refused, what is waited for."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator

import pytest
from redis_server import REASON, URL, RedisServer, folder_of_servers
from server_load import ENDLESS_WRITER, write_during

import memexllm
from memexllm import errors

pytestmark = pytest.mark.skipif(not URL, reason=REASON)


@pytest.fixture
def url() -> str:
    return f"{URL}?prefix=t{uuid.uuid4().hex}"


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with folder_of_servers() as (folder, servers):
        servers.append(RedisServer(folder / "one"))
        yield servers[0].start()


@pytest.mark.parametrize(
    "wrong",
    [
        "redis:host",
        "redis://host:port",
        "redis://host/first",
        "redis://host/0?colour=red",
        "redis://host/0?pool_size=0",
        "redis://host/0?prefix=a{b}",
        "redis://host/0?shards=4",
        "redis://user@host/0",
        "redis://one:1,two:2/0",
        "redis+cluster://host:1/3",
        "redis://:s3cret%4@host/0",
    ],
)
def test_a_wrong_url_is_refused_and_never_repeated(wrong: str) -> None:
    with pytest.raises(errors.InvalidError) as found:
        memexllm.open(wrong)
    assert "/url" in str(found.value) and "s3cret" not in str(found.value)


def test_encryption_is_refused_and_said_so() -> None:
    with pytest.raises(errors.UnsupportedError, match="rediss"):
        memexllm.open("rediss://:s3cret@127.0.0.1:1/0")


def test_an_append_is_one_round_trip(url: str) -> None:
    with memexllm.open(url) as store:
        thread = store.threads.create()
        thread.append("user", "warm")
        before = store.command("stats")["round_trips"]
        for number in range(50):
            thread.append("user", str(number), idempotency_key=str(number))
        assert store.command("stats")["round_trips"] - before == 50
        assert store.command("check")["ok"]


def test_scripts_that_the_server_forgot_are_sent_again(url: str) -> None:
    with memexllm.open(url) as store:
        thread = store.threads.create()
        port = URL.rsplit(":", 1)[1].split("/", maxsplit=1)[0]
        subprocess.run(
            ["redis-cli", "-p", port, "script", "flush"], check=True, capture_output=True
        )
        thread.append("user", "after")
        assert thread.count() == 1


def test_many_threads_are_listed_in_order(url: str) -> None:
    with memexllm.open(url) as store:
        ids = [store.threads.create(id=f"t{number:04}").id for number in range(700)]
        assert sorted(thread.id for thread in store.threads.list()) == ids
        for number in range(0, 700, 2):
            store.threads.open(f"t{number:04}").delete()
        assert sorted(thread.id for thread in store.threads.list()) == ids[1::2]
        assert store.command("check")["ok"]


def test_writers_of_a_process_share_round_trips(url: str) -> None:
    with memexllm.open(url) as store:
        threads = [store.threads.create() for _ in range(8)]
        for thread in threads:
            thread.append("user", "warm")
        before = store.command("stats")["round_trips"]

        def write(thread: memexllm.Thread) -> None:
            for number in range(100):
                thread.append("user", str(number))

        workers = [threading.Thread(target=write, args=(thread,)) for thread in threads * 2]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert [thread.count() for thread in threads] == [201] * 8
        assert store.command("stats")["round_trips"] - before < 1600 + 100
        assert store.command("check")["ok"]


def test_processes_write_to_one_thread(url: str) -> None:
    code = (
        "import sys, memexllm\n"
        "with memexllm.open(sys.argv[1]) as store:\n"
        "    thread = store.threads.open('shared')\n"
        "    for number in range(200): thread.append('user', f'{sys.argv[2]} {number}')\n"
    )
    with memexllm.open(url) as store:
        thread = store.threads.create(id="shared")
        command = [sys.executable, "-c", code, url]
        # pylint: disable-next=consider-using-with
        writers = [subprocess.Popen([*command, str(number)]) for number in range(3)]
        assert [writer.wait(120) for writer in writers] == [0, 0, 0]
        messages = list(thread.messages())
        assert [message.seq for message in messages] == list(range(1, 601))
        for name in "012":
            own = [m.content for m in messages if str(m.content).startswith(f"{name} ")]
            assert own == [f"{name} {number}" for number in range(200)]


def test_a_wrong_password_is_denied(server: RedisServer) -> None:
    memexllm.open(server.url).close()
    server.cli("config", "set", "requirepass", "right-s3cret")
    server.password = "right-s3cret"
    for who in ["", ":wrong-s3cret@", "somebody:wrong-s3cret@"]:
        with pytest.raises(errors.DeniedError) as found:
            memexllm.open(f"redis://{who}127.0.0.1:{server.port}/0")
        assert "s3cret" not in str(found.value)
    with memexllm.open(f"redis://:right-s3cret@127.0.0.1:{server.port}/0") as store:
        store.threads.create().append("user", "inside")
        assert "s3cret" not in repr(store) + repr(store.command("stats"))


def test_a_wrong_database_is_not_found(server: RedisServer) -> None:
    with pytest.raises(errors.NotFoundError, match="databases"):
        memexllm.open(f"redis://127.0.0.1:{server.port}/99")


def test_a_store_that_is_not_there_is_not_made(server: RedisServer) -> None:
    with pytest.raises(errors.NotFoundError):
        memexllm.open(server.url, create=False)
    assert server.cli("dbsize") == "0"


def test_nobody_there_is_unavailable(server: RedisServer) -> None:
    server.kill()
    began = time.monotonic()
    with pytest.raises(errors.UnavailableError, match="nothing was stored"):
        memexllm.open(server.url, timeout=5)
    assert time.monotonic() - began < 5


def test_what_is_promised_is_said(server: RedisServer) -> None:
    with memexllm.open(server.url) as store:
        assert store.command("stats")["durable"] is True
    server.cli("config", "set", "appendfsync", "everysec")
    with memexllm.open(server.url) as store:
        stats = store.command("stats")
        assert stats["durable"] is False and stats["appendfsync"] == "everysec"


def test_a_server_that_evicts_is_refused(server: RedisServer) -> None:
    server.cli("config", "set", "maxmemory-policy", "allkeys-lru")
    with pytest.raises(errors.UnsupportedError, match="noeviction"):
        memexllm.open(server.url)


def test_a_full_server_refuses_and_goes_on_when_there_is_room(server: RedisServer) -> None:
    with memexllm.open(server.url) as store:
        thread = store.threads.create()
        used = int(server.cli("info", "memory").split("used_memory:")[1].split()[0])
        server.cli("config", "set", "maxmemory", str(used + 2_000_000))
        stored = 0
        with pytest.raises(errors.FullError, match="maxmemory"):
            for _ in range(1_000):
                thread.append("user", "x" * 20_000)
                stored += 1
        assert thread.count() == stored and store.command("check")["ok"]
        server.cli("config", "set", "maxmemory", "0")
        assert thread.append("user", "room").seq == stored + 1


def test_a_server_that_hangs_is_left_at_the_deadline(server: RedisServer) -> None:
    with memexllm.open(server.url, timeout=0.4) as store:
        thread = store.threads.create()
        thread.append("user", "warm")
        with server.frozen():
            for call, expected in (
                (
                    lambda: thread.append("user", "hangs", idempotency_key="k"),
                    errors.OutcomeUnknownError,
                ),
                (thread.count, errors.TimedOutError),
                (store.threads.create, errors.TimedOutError),
            ):
                began = time.monotonic()
                with pytest.raises(expected):
                    call()
                took = time.monotonic() - began
                assert 0.3 < took < 0.5, f"within 100 ms of the deadline, and it took {took:.3f} s"
        receipt = thread.append("user", "hangs", idempotency_key="k")
        assert receipt.seq == 2 and thread.count() == 2


def test_an_interruption_ends_the_wait(server: RedisServer) -> None:
    with memexllm.open(server.url, timeout=20) as store:
        thread = store.threads.create()
        thread.append("user", "warm")
        found: list[BaseException] = []

        def read() -> None:
            try:
                thread.count()
            except errors.MemexError as error:
                found.append(error)

        with server.frozen():
            worker = threading.Thread(target=read)
            worker.start()
            time.sleep(0.3)
            began = time.monotonic()
            store.interrupt()
            worker.join(10)
            assert time.monotonic() - began < 1
        assert [type(error) for error in found] == [errors.CancelledError]
        assert thread.count() == 1


def test_a_forked_child_is_told(url: str) -> None:
    with memexllm.open(url) as store:
        thread = store.threads.create()
        child = os.fork()
        if child == 0:
            try:
                thread.append("user", "child")
                os._exit(1)
            except errors.MemexError:
                os._exit(0)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        thread.append("user", "parent")
        assert thread.count() == 1


def test_a_restart_in_the_middle(server: RedisServer) -> None:
    def restart() -> None:
        for _ in range(5):
            time.sleep(0.2)
            server.kill()
            time.sleep(0.1)
            server.start()

    writers = write_during(server.url, restart)
    assert sum(len(writer.acknowledged) for writer in writers) > 20


def test_killed_clients(url: str) -> None:
    with memexllm.open(url) as store:
        thread = store.threads.create(id="shared")
        for number in range(10):
            with subprocess.Popen(
                [sys.executable, "-c", ENDLESS_WRITER, url, str(number)], stdout=subprocess.PIPE
            ) as writer:
                assert writer.stdout is not None
                acknowledged = 0
                for _ in range(20 + number):
                    acknowledged = int(writer.stdout.readline())
                writer.kill()
            stored = {message.seq: message.content for message in thread.messages()}
            assert stored[acknowledged] == str(number)
            assert sorted(stored) == list(range(1, len(stored) + 1))
        assert store.command("check")["ok"]
