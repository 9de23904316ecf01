"""The examples of the documentation run as they are."""

# pylint: disable=missing-function-docstring

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from openai_server import serve, text

import memexllm

ROOT = Path(__file__).resolve().parents[2]
FILES = ["README.md", "python/README.md"]
FILES += [f"python/src/memexllm/{name}.py" for name in ("__init__", "aio")]


def examples() -> list[tuple[str, str]]:
    found = []
    for file in FILES:
        source = (ROOT / file).read_text(encoding="utf-8")
        if file.endswith(".md"):
            blocks = re.findall(r"^```python\n(.*?)^```", source, re.MULTILINE | re.DOTALL)
        else:
            doc = source.split('"""')[1]
            blocks = [
                inspect.cleandoc("\n" + block)
                for block in re.findall(r"\n\n((?:    .*\n|\n)+)", doc)
            ]
        assert blocks, file
        found += [(f"{file} {number + 1}", block) for number, block in enumerate(blocks)]
    return found


@pytest.mark.parametrize(("name", "block"), examples())
def test_examples_run(name: str, block: str, tmp_path: Path) -> None:
    """In a process and a folder of their own; what they ask of OpenAI is answered here."""
    if "async with" in block and "def " not in block:
        body = "\n".join(f"    {line}" for line in block.splitlines())
        block = f"import asyncio, memexllm\nasync def main():\n{body}\nasyncio.run(main())\n"
    with serve() as server:
        server.say(text("Hello, Alice."))
        tried = subprocess.run(
            [sys.executable, "-c", block],
            cwd=tmp_path,
            env={
                **os.environ,
                "OPENAI_API_KEY": "k",
                "OPENAI_BASE_URL": server.url,
                "PYTHONPATH": str(Path(memexllm.__file__).parents[1]),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert tried.returncode == 0, f"{name}\n{block}\n{tried.stderr}"
        assert len(server.requests) == ("openai" in block)
