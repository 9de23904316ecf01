"""What the fuzzer and the benchmark of the tokenizers need: this package, and what it is measured
against, tiktoken and others, in environments of their own under build/."""

from __future__ import annotations

import hashlib
import os
import subprocess  # nosec B404
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import generate_vocabularies

ROOT = Path(__file__).resolve().parent.parent
ENCODINGS = ["o200k_base", "o200k_harmony", "cl100k_base", "p50k_base"]
_URL = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"


def use_package() -> None:
    """Makes the package of this checkout importable, unless one is already."""
    try:
        import memexllm  # noqa: F401  pylint: disable=import-outside-toplevel,unused-import
    except ImportError:
        sys.path.insert(0, str(ROOT / "python" / "src"))


def environment(name: str, packages: Sequence[str]) -> Path:
    """The Python of an environment that has these packages; made once."""
    folder = ROOT / "build" / "environments" / name
    python = folder / "bin" / "python"
    stamp = folder / "packages"
    wanted = "\n".join(packages)
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        venv.create(folder, with_pip=True, clear=True)
        command = [str(python), "-m", "pip", "install", "--quiet", *packages]
        subprocess.run(command, check=True)  # nosec B603
        stamp.write_text(wanted, encoding="utf-8")
    return python


def run_in(name: str, packages: Sequence[str]) -> None:
    """Runs this program again in such an environment; returns at once when it does already."""
    python = environment(name, packages)
    if Path(sys.prefix) != python.parent.parent:
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        os.execv(str(python), [str(python), *sys.argv])  # nosec B606


def provide_rank_files() -> dict[str, Path]:
    """Lets tiktoken find its rank files, which its wheel does not have, without a network."""
    files = generate_vocabularies.rank_files()
    cache = ROOT / "build" / "vocabularies" / "tiktoken"
    cache.mkdir(parents=True, exist_ok=True)
    for name, file in files.items():
        key = hashlib.sha1(_URL.format(name).encode(), usedforsecurity=False).hexdigest()
        if not (cache / key).exists():
            (cache / key).write_bytes(file.read_bytes())
    os.environ["TIKTOKEN_CACHE_DIR"] = str(cache)
    return files
