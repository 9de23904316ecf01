"""Prints python/poetry.lock as pip requirements with hashes: all of it, or some and what they need.

    locked_requirements.py [NAME...]

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


def needed(packages: list[dict[str, Any]], names: list[str]) -> list[dict[str, Any]]:
    """The packages of these names and all that they depend on."""
    wanted: set[str] = set()
    left = list(names)
    while left:
        name = left.pop().lower().replace("_", "-")
        # A name may be locked twice, for two ranges of Pythons.
        found = [package for package in packages if package["name"] == name]
        if name in names and not found:
            raise SystemExit(f"{name} is not in {LOCK.name}")
        if name not in wanted:
            left += [other for package in found for other in package.get("dependencies", {})]
        wanted.add(name)
    return [package for package in packages if package["name"] in wanted]


def main() -> None:
    """Prints the locked packages."""
    packages = tomllib.loads(LOCK.read_text(encoding="utf-8"))["package"]
    for package in needed(packages, sys.argv[1:]) if sys.argv[1:] else packages:
        print(requirement(package))


if __name__ == "__main__":
    main()
