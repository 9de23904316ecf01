"""Blocking work in an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


async def away(function: Callable[..., Any], *arguments: Any) -> Any:
    """Runs what blocks in a thread; once begun it finishes, also when the caller is cancelled."""
    import asyncio  # pylint: disable=import-outside-toplevel

    return await asyncio.shield(asyncio.to_thread(function, *arguments))
