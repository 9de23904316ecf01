"""A Redis Cluster: what is in one slot, what survives a failover and a resharding under load."""

# pylint: disable=missing-function-docstring,redefined-outer-name

from __future__ import annotations

import contextlib
import os
import subprocess
import time
import uuid
from collections.abc import Iterator
from functools import partial

import pytest
from redis_server import CLUSTER_URL, RedisCluster, folder_of_servers, until
from server_load import write_during

import memexllm
from memexllm import errors

pytestmark = pytest.mark.skipif(
    not CLUSTER_URL, reason="no Redis Cluster is running; run make services, and see what it says"
)

# make soak sets it to 20.
FAILOVERS = int(os.environ.get("MEMEX_REDIS_FAILOVERS", "2"))


@pytest.fixture
def url() -> str:
    return f"{CLUSTER_URL}?prefix=t{uuid.uuid4().hex}&shards=16"


@pytest.fixture(scope="module")
def cluster() -> Iterator[RedisCluster]:
    with folder_of_servers() as (folder, servers):
        made = RedisCluster(folder)
        servers += made.nodes
        yield made.start()


def test_threads_of_all_shards_are_listed_in_order(url: str) -> None:
    with memexllm.open(url) as store:
        ids = [store.threads.create(id=f"t{number:03}").id for number in range(300)]
        assert sorted(thread.id for thread in store.threads.list()) == ids
        newest = [thread.id for thread in store.threads.list(limit=10)]
        assert newest == ids[:-11:-1]
        store.threads.open("t007").append("user", "later")
        assert next(iter(store.threads.list())).id == "t007"
        assert store.command("check")["ok"]


def test_a_fork_has_its_name_wherever_names_are_looked_for(url: str) -> None:
    with memexllm.open(url) as store:
        thread = store.threads.create(id="root")
        thread.append("user", "shared")
        forks = [thread.fork(id=f"fork{number}") for number in range(40)]
        for fork in forks:
            fork.append("user", "own")
        for number in range(40):
            assert store.threads.open(f"fork{number}").count() == 2
        with pytest.raises(errors.ExistsError):
            store.threads.create(id="fork7")
        with pytest.raises(errors.ExistsError):
            thread.fork(id="fork7")
        for number in range(0, 40, 2):
            store.threads.open(f"fork{number}").delete()
        for number in range(0, 40, 2):
            assert store.threads.create(id=f"fork{number}").count() == 0
        assert len(list(store.threads.list())) == 41
        assert store.command("check")["ok"]


def test_a_transaction_over_several_threads_is_refused(url: str) -> None:
    with memexllm.open(url) as store:
        one, two = store.threads.create(), store.threads.create()
        with pytest.raises(errors.UnsupportedError, match="nothing was stored"):
            with store.transaction() as transaction:
                for thread in (one, two):
                    transaction.threads.open(thread.id).append("user", "text")
        assert one.count() == two.count() == 0


def test_failovers_under_load(cluster: RedisCluster) -> None:
    def fail_over() -> None:
        for number in range(FAILOVERS):
            time.sleep(0.3)
            cluster.fail_over(number)

    writers = write_during(f"{cluster.url}&prefix=failover", fail_over)
    acknowledged = sum(len(writer.acknowledged) for writer in writers)
    unknown = sum(writer.unknown for writer in writers)
    print(f"{FAILOVERS} failovers, {acknowledged} acknowledged, {unknown} unknown")
    assert acknowledged > FAILOVERS * 10


def test_an_append_that_no_replica_has_is_not_acknowledged(cluster: RedisCluster) -> None:
    url = f"{cluster.url}&prefix=wait"
    with memexllm.open(url, timeout=0.6) as store, memexllm.open(f"{url}&replicas=0") as hasty:
        thread = store.threads.create(id="one")
        thread.append("user", "confirmed")
        masters = cluster.masters()
        with contextlib.ExitStack() as frozen:
            for node in cluster.nodes:
                if node not in masters:
                    frozen.enter_context(node.frozen())
            with pytest.raises(errors.OutcomeUnknownError, match="replicas"):
                thread.append("user", "unconfirmed", idempotency_key="k")
            # It is found to be there, which is not enough.
            with pytest.raises(errors.OutcomeUnknownError):
                thread.append("user", "unconfirmed", idempotency_key="k")
            assert hasty.threads.open("one").append("user", "hasty").seq == 3
        cluster.wait()
        assert thread.append("user", "unconfirmed", idempotency_key="k").seq == 2
        assert thread.count() == 3


def succeeds(command: list[str]) -> bool:
    """redis-cli refuses as long as the nodes have not all heard of the last move."""
    return subprocess.run(command, check=False, capture_output=True, timeout=120).returncode == 0


def test_a_resharding_under_load(cluster: RedisCluster) -> None:
    def reshard() -> None:
        masters = cluster.masters()
        for number in range(3):
            source, target = masters[number], masters[(number + 1) % 3]
            command = ["redis-cli", "--cluster", "reshard", f"127.0.0.1:{source.port}"]
            command += ["--cluster-from", source.cli("cluster", "myid")]
            command += ["--cluster-to", target.cli("cluster", "myid")]
            command += ["--cluster-slots", "1500", "--cluster-yes"]
            until(partial(succeeds, command), 60, "the slots are moved")

    writers = write_during(f"{cluster.url}&prefix=reshard", reshard)
    assert sum(len(writer.acknowledged) for writer in writers) > 100
