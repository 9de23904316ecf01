"""Checks for what you write yourself."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from ._calls import call_bytes
from ._checks import names
from ._json import loads
from ._lib import lib
from ._options import pack
from .backend import register_backend, unregister_backend

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .backend import Factory

_names = count(1)


class Report:  # pylint: disable=too-few-public-methods
    """What a check found.

    Attributes:
        passed: How many cases passed.
        failed: How many did not.
        skipped: How many could not be run on this backend.
        cases: ``{"name", "result", "reason"}`` of each.
    """

    __slots__ = ("cases", "failed", "passed", "skipped")

    def __init__(self, document: dict[str, Any]) -> None:
        self.passed: int = document["passed"]
        self.failed: int = document["failed"]
        self.skipped: int = document["skipped"]
        self.cases: list[dict[str, Any]] = document["cases"]

    def __repr__(self) -> str:
        return f"<Report {self.passed} passed, {self.failed} failed, {self.skipped} skipped>"


def check_storage_backend(
    url_or_factory: str | Factory,
    *,
    cases: Sequence[str] | None = None,
    seed: int | None = None,
) -> Report:
    """Runs the conformance cases of storage backends: order, paging, transactions, and so on.

    Args:
        url_or_factory: The URL of an empty store, or what register_backend would be given.
        cases: Only these.
        seed: For the cases that use random data.

    Returns:
        What was found, when nothing failed.

    Raises:
        AssertionError: Cases failed; it names them with their reasons.
    """
    if isinstance(url_or_factory, str):
        return _check(url_or_factory, cases, seed)
    name = f"memexllm-check-{next(_names)}"
    register_backend(name, url_or_factory)
    try:
        return _check(f"{name}:", cases, seed)
    finally:
        unregister_backend(name)


def _check(url: str, cases: Sequence[str] | None, seed: int | None) -> Report:
    config = pack(
        {"url": url, "cases": names("cases", cases) if cases is not None else None, "seed": seed}
    )
    report = Report(loads(call_bytes(lib.memex_backend_check, config, len(config))))
    if report.failed:
        lines = [
            f"  {case['name']}: {case.get('reason', '')}"
            for case in report.cases
            if case["result"] == "failed"
        ]
        raise AssertionError("\n".join([f"{report.failed} cases failed:", *lines]))
    return report


__all__ = ["Report", "check_storage_backend"]
