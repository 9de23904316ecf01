"""Redis servers of a test's own: started, stopped, killed, frozen, joined to a cluster."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

URL = os.environ.get("MEMEX_TEST_REDIS", "")
CLUSTER_URL = os.environ.get("MEMEX_TEST_REDIS_CLUSTER", "")
REASON = "no Redis server is running; run make services, and see what it says"


def free_port() -> int:
    """A port whose cluster bus, 10000 above, is a port too."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        if port < 55_000:
            return port


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, f"after {seconds} s still not: {what}"
        time.sleep(0.05)


class RedisServer:
    """A server in a folder of its own, on a port of its own. Every write goes to the disk."""

    def __init__(self, folder: Path, *settings: str) -> None:
        self.folder, self.settings, self.port = folder, settings, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.password = ""
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> RedisServer:
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir"]
        command += [str(self.folder), "--save", "", "--appendonly", "yes"]
        command += ["--appendfsync", "always", "--loglevel", "warning", *self.settings]
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until(lambda: self.cli("ping") == "PONG", 20, "the server answers")
        return self

    def cli(self, *arguments: str) -> str:
        command = ["redis-cli", "-p", str(self.port), *arguments]
        if self.password:
            command[1:1] = ["--no-auth-warning", "-a", self.password]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=60
        ).stdout.strip()

    def kill(self) -> None:
        """As a machine that goes down: it says nothing any more."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """A server that hangs: it accepts what the kernel accepts for it, and says nothing."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


class RedisCluster:
    """Three masters and three replicas."""

    def __init__(self, folder: Path) -> None:
        settings = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf"]
        settings += ["--cluster-node-timeout", "1000", "--repl-diskless-sync-delay", "0"]
        self.nodes = [RedisServer(folder / f"node{number}", *settings) for number in range(6)]

    @property
    def url(self) -> str:
        places = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:3])
        return f"redis+cluster://{places}?shards=32"

    def start(self) -> RedisCluster:
        for node in self.nodes:
            node.start()
        command = ["redis-cli", "--cluster", "create", "--cluster-replicas", "1", "--cluster-yes"]
        command += [f"127.0.0.1:{node.port}" for node in self.nodes]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        self.wait()
        return self

    def wait(self) -> None:
        """Until every slot has a master, and each master a replica that follows it."""

        def is_whole() -> bool:
            if any("cluster_state:ok" not in node.cli("cluster", "info") for node in self.nodes):
                return False
            roles = [node.cli("info", "replication") for node in self.nodes]
            linked = sum("master_link_status:up" in role for role in roles)
            return linked == 3 and sum("connected_slaves:1" in role for role in roles) == 3

        until(is_whole, 60, "the cluster is whole")

    def masters(self) -> list[RedisServer]:
        return [node for node in self.nodes if "role:master" in node.cli("info", "replication")]

    def fail_over(self, number: int) -> None:
        """Kills a master, waits for its replica to take over, and starts it again."""
        master = self.masters()[number % 3]
        others = [node for node in self.nodes if node is not master]
        master.kill()
        until(
            lambda: sum("role:master" in node.cli("info", "replication") for node in others) == 3,
            30,
            "a replica has taken over",
        )
        master.start()
        self.wait()


@contextlib.contextmanager
def folder_of_servers() -> Iterator[tuple[Path, list[RedisServer]]]:
    """A folder, and a list of the servers to be ended with it."""
    if not URL:
        pytest.skip(REASON)
    folder = Path(tempfile.mkdtemp(prefix="memex-redis-"))
    servers: list[RedisServer] = []
    try:
        yield folder, servers
    finally:
        for server in servers:
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)
