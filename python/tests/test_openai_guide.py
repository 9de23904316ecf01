"""The guide to the integration with the OpenAI SDK: its code runs, in order, as it stands."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from openai_clients import CALLS
from openai_server import Reply, Server, completion, stream, text

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "openai.md"


def test_the_guide(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not GUIDE.exists():
        pytest.skip(f"{GUIDE} is not beside the package")

    def answer(request: dict[str, Any]) -> Reply:
        server.requests.append(request)
        if request.get("tools"):
            return completion({"tool_calls": CALLS}, finish_reason="tool_calls")
        return stream("Of ", "course.") if request.get("stream") else text("Alice.")

    server.answer = answer  # type: ignore[method-assign]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text("utf-8"), re.M | re.S)
    assert len(blocks) > 8
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), names)  # pylint: disable=exec-used
        if block is blocks[0]:
            assert [body["role"] for body in server.seen] == ["system", "user", "assistant", "user"]
    # Nobody's turn was lost or doubled.
    for thread in names["store"].threads.list():
        roles = [message.role for message in thread]
        assert all(one != other or one == "tool" for one, other in zip(roles, roles[1:])), roles
    for name in ("client", "small", "bigger"):
        names[name].close()
    names["store"].close()
