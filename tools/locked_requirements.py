"""Prints python/poetry.lock as pip requirements with hashes.

pip installs exactly what Poetry locked, so only whoever changes the dependencies needs Poetry.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:  # pip carries a copy for the versions that lack it
    from pip._vendor import tomli as tomllib

LOCK = Path(__file__).resolve().parent.parent / "python" / "poetry.lock"


def requirement(package: dict[str, Any]) -> str:
    """One package as a line of a requirements file."""
    hashes = "".join(f" \\\n    --hash={file['hash']}" for file in package["files"])
    marker = package.get("markers", "")
    if not isinstance(marker, str):
        raise SystemExit(f"{package['name']}: one group of dependencies was expected")
    return f"{package['name']}=={package['version']}{' ; ' + marker if marker else ''}{hashes}"


def main() -> None:
    """Prints the locked packages."""
    lock = tomllib.loads(LOCK.read_text(encoding="utf-8"))
    for package in lock["package"]:
        print(requirement(package))


if __name__ == "__main__":
    main()
