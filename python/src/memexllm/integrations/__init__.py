"""Memory for the clients of model providers, one module each: memexllm.integrations.openai."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import openai


def __getattr__(name: str) -> Any:
    if name == "openai":
        return import_module(".openai", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["openai"]
