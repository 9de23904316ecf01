"""PostgreSQL servers of a test's own: started, stopped, killed, frozen, replicated."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

BIN = os.environ.get("MEMEX_TEST_POSTGRESQL_BIN", "")
URL = os.environ.get("MEMEX_TEST_POSTGRESQL", "")
REASON = "no PostgreSQL server is running; run make services, and see what it says"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def psql(url: str, statement: str) -> str:
    """What psql prints."""
    command = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", statement]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _as_postgres(*command: str) -> list[str]:
    """PostgreSQL refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *command] if os.getuid() == 0 else list(command)


class PostgreSQLServer:
    """A cluster in a folder of its own, on a port of its own. fsync stays on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str, user: str = "postgres", password: str = "") -> str:
        who = f"{user}:{password}" if password else user
        return f"postgresql://{who}@127.0.0.1:{self.port}/{database}"

    def run(self, program: str, *arguments: str) -> None:
        command = _as_postgres(f"{BIN}/{program}", *arguments)
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def create(self) -> PostgreSQLServer:
        self.run("initdb", "-D", str(self.folder), "-A", "trust", "-U", "postgres", "-E", "UTF8",
                 "--locale=C.UTF-8", "--no-sync")  # fmt: skip
        return self

    def start(self, *settings: str) -> None:
        options = [f"-p {self.port}", "-c listen_addresses=127.0.0.1"]
        options += [f"-c unix_socket_directories={self.folder.parent}", "-c log_min_messages=fatal"]
        options += [f"-c {setting}" for setting in settings]
        log = str(self.folder.parent / f"{self.folder.name}.log")
        self.run("pg_ctl", "-D", str(self.folder), "-l", log, "-w", "-t", "60", "-s",
                 "-o", " ".join(options), "start")  # fmt: skip

    def stop(self, mode: str = "immediate") -> None:
        self.run("pg_ctl", "-D", str(self.folder), "-m", mode, "-w", "-s", "stop")

    @property
    def pid(self) -> int:
        file = self.folder / "postmaster.pid"
        return int(subprocess.run(_as_postgres("head", "-1", str(file)), check=True,
                                  capture_output=True, text=True).stdout)  # fmt: skip

    def processes(self) -> list[int]:
        """The postmaster and its children."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text(encoding="ascii")
        return [self.pid, *map(int, children.split())]

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """A server that hangs: it accepts what the kernel accepts for it, and says nothing."""
        frozen = []
        try:
            for process in self.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGSTOP)
                    frozen.append(process)
            yield
        finally:
            for process in frozen:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)

    def replica(self, folder: Path) -> PostgreSQLServer:
        """A streaming standby, not started yet."""
        standby = PostgreSQLServer(folder)
        self.run("pg_basebackup", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-D",
                 str(folder), "-R", "-X", "stream", "-c", "fast", "--no-sync")  # fmt: skip
        return standby


@contextlib.contextmanager
def folder_of_servers() -> Iterator[Path]:
    """A folder that the user postgres may use; whatever still runs in it is stopped at the end."""
    if not BIN:
        pytest.skip(REASON)
    folder = Path(tempfile.mkdtemp(prefix="memex-postgresql-"))
    try:
        if os.getuid() == 0:
            os.chown(folder, pwd.getpwnam("postgres").pw_uid, pwd.getpwnam("postgres").pw_gid)
        yield folder
    finally:
        for running in folder.glob("*/postmaster.pid"):
            with contextlib.suppress(AssertionError):
                PostgreSQLServer(running.parent).stop()
        shutil.rmtree(folder, ignore_errors=True)
