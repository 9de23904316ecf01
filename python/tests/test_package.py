"""The package itself: names, loading, import time, errors, documentation."""

# pylint: disable=missing-function-docstring,redefined-outer-name,import-outside-toplevel

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import memexllm
from memexllm import _ffi, _lib, errors

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "python"


def modules() -> Iterator[ModuleType]:
    yield memexllm
    for found in pkgutil.walk_packages(memexllm.__path__, "memexllm."):
        yield importlib.import_module(found.name)


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_all_names_exist() -> None:
    for module in modules():
        names = getattr(module, "__all__", [])
        assert list(names) == sorted(set(names)), module.__name__
        for name in names:
            assert hasattr(module, name), f"{module.__name__}.{name}"


def test_public_modules_say_what_is_public() -> None:
    for name in memexllm._MODULES:  # pylint: disable=protected-access
        assert importlib.import_module(f"memexllm.{name}").__all__
    assert set(dir(memexllm)) >= set(memexllm.__all__)
    with pytest.raises(AttributeError, match="nosuch"):
        memexllm.nosuch  # pylint: disable=pointless-statement


def test_everything_public_is_documented() -> None:
    for module in modules():
        assert module.__doc__, module.__name__
        for name in getattr(module, "__all__", []):
            value = getattr(module, name)
            if (
                not callable(value)
                or getattr(value, "__module__", "").partition(".")[0] != "memexllm"
            ):
                continue
            assert inspect.getdoc(value), f"{module.__name__}.{name}"
            for member, function in inspect.getmembers(value) if inspect.isclass(value) else ():
                if not member.startswith("_") and inspect.isfunction(function):
                    assert inspect.getdoc(function), f"{name}.{member}"


def test_names_of_the_first_version() -> None:
    from memexllm.core import HistoryManager, Message, Thread
    from memexllm.history import HistoryManager as same
    from memexllm.integrations.openai import with_history

    assert HistoryManager is same
    assert (Message, Thread) == (memexllm.Message, memexllm.Thread)
    assert callable(with_history)
    for old in (
        "MemexLLMError",
        "ConfigurationError",
        "ResourceNotFoundError",
        "ThreadNotFoundError",
        "MessageNotFoundError",
        "ValidationError",
        "StorageError",
        "ConnectionError",
        "OperationError",
        "IntegrityError",
        "APIError",
        "OpenAIAPIError",
        "RateLimitError",
    ):
        assert issubclass(getattr(errors, old), errors.MemexError)


def test_a_history_manager(tmp_path: Path) -> None:
    manager = memexllm.core.HistoryManager(memexllm.storage.SQLiteStorage(str(tmp_path / "a b.db")))
    thread = manager.create_thread({"user": "alice"})
    calls = [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    manager.add_message(thread.id, "hi", "user", {"m": 1})
    made = manager.add_message(thread.id, None, "assistant", tool_calls=calls)
    assert made.tool_calls == calls
    assert manager.get_thread(thread.id).metadata == {"user": "alice"}
    assert [message.content for message in manager.get_messages(thread.id)] == ["hi", None]
    assert [entry.id for entry in manager.list_threads()] == [thread.id]
    assert manager.list_threads(offset=1) == []
    with pytest.raises(errors.ValidationError):
        manager.list_threads(limit=0)
    assert manager.delete_thread(thread.id) and not manager.delete_thread(thread.id)
    with pytest.raises(errors.ThreadNotFoundError):
        manager.get_thread(thread.id)
    manager.storage.close()
    assert (tmp_path / "a b.db").exists()
    memexllm.storage.SQLiteStorage(":memory:").close()
    with pytest.raises(errors.InvalidError):
        memexllm.core.HistoryManager(None)  # type: ignore[arg-type]


def test_every_status_has_a_class() -> None:
    statuses = {value: name for name, value in vars(_ffi).items() if name.startswith("MEMEX_E_")}
    assert set(errors.BY_CODE) == set(statuses)
    for code, kind in errors.BY_CODE.items():
        assert kind.__name__ in errors.__all__
        assert kind.__name__ in (errors.__doc__ or "")
        error = kind("message", details={"a": 1}, retryable=True)
        assert (error.code, error.details, error.retryable) == (code, {"a": 1}, True)
        assert str(error) == "message"
        assert _lib.lib.memex_status_name(code) == statuses[code].encode()


def test_errors_free_what_they_came_with() -> None:
    with memexllm.open("memory:") as store:
        for _ in range(5000):
            with pytest.raises(errors.NotFoundError) as caught:
                store.threads.open("nosuch")
        assert caught.value.details == {} and not caught.value.retryable


def test_versions() -> None:
    assert memexllm.native_version() == memexllm.__version__
    metadata = (PYTHON / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{memexllm.__version__}"' in metadata


def test_a_missing_library_is_a_clear_import_error(tmp_path: Path) -> None:
    tried = run("import memexllm", MEMEX_LIBRARY=str(tmp_path / "none.so"))
    assert tried.returncode == 1
    for words in ("ImportError", "none.so", "MEMEX_LIBRARY", "make build", "pip install"):
        assert words in tried.stderr
    (tmp_path / "empty.so").write_bytes(b"")
    assert "empty.so" in run("import memexllm", MEMEX_LIBRARY=str(tmp_path / "empty.so")).stderr
    # A library, but another one.
    assert "ImportError" in run("import memexllm", MEMEX_LIBRARY="libc.so.6").stderr


def test_where_the_library_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMEX_LIBRARY", "/some/where.so")
    assert _lib.candidates() == ["/some/where.so"]
    monkeypatch.delenv("MEMEX_LIBRARY")
    assert _lib.candidates()[-1] == _lib.NAME
    monkeypatch.setattr(os.path, "exists", lambda _: True)
    bundled, built, last = _lib.candidates()
    assert bundled == str(PYTHON / "src/memexllm/_native" / _lib.NAME)
    assert built == str(ROOT / "dist" / _lib.NAME)
    assert last == _lib.NAME


def test_an_interpreter_without_sqlite_will_do(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['_sqlite3'] = None; import memexllm\n"
        f"memexllm.open('sqlite:///{tmp_path}/x.db').close(); print('opened')"
    )
    tried = run(code)
    assert (tried.stdout, tried.stderr) == ("opened\n", "")


def test_importing_is_cheap() -> None:
    bare = set(run("import sys, ctypes; print(*sys.modules)").stdout.split())
    loaded = set(run("import sys, memexllm; print(*sys.modules)").stdout.split()) - bare
    ours = {name for name in loaded if name.startswith("memexllm")}
    assert "memexllm.store" in ours
    assert not ours & {"memexllm.aio", "memexllm.context", "memexllm.message", "memexllm.thread"}
    costly = {"asyncio", "collections", "datetime", "enum", "functools", "html", "json", "logging"}
    costly |= {"openai", "re", "sqlite3", "threading", "typing", "urllib"}
    assert not costly & loaded
    # What it costs over an interpreter that does nothing; the best of some, for machines are noisy.
    code = "import time; a = time.perf_counter(); import memexllm; print(time.perf_counter() - a)"
    assert min(float(run(code).stdout) for _ in range(5)) < 0.1


def test_nothing_is_said_at_exit() -> None:
    code = (
        "import logging; logging.basicConfig(); import memexllm\n"
        "store = memexllm.open('memory:'); thread = store.threads.create()\n"
        "thread.append('user', 'x'); messages = thread.messages(); it = iter(messages); next(it)\n"
        "listed = iter(store.threads.list()); work = store.transaction()\n"
        "work.threads.create(); strategy = memexllm.Strategy({'type': 'fifo', 'last': 1})\n"
    )
    tried = run(code)
    assert (tried.returncode, tried.stdout, tried.stderr) == (0, "", "")


def test_nothing_is_printed_where_no_logging_is_configured() -> None:
    code = (
        "import logging, memexllm\n"
        "def fails(_): raise ValueError('mine')\n"
        "memexllm.register_strategy('fails', fails)\n"
        "thread = memexllm.open('memory:').threads.create(); thread.append('user', 'x')\n"
        "try: thread.context(strategy={'type': 'fails'})\n"
        "except memexllm.errors.CallbackError as error: print(error.__cause__)\n"
    )
    tried = run(code)
    assert (tried.returncode, tried.stdout, tried.stderr) == (0, "mine\n", "")
    configured = run("import logging; logging.basicConfig()\n" + code)
    assert "memexllm" in configured.stderr
