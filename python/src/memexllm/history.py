"""HistoryManager, where the documentation of memexllm 0.1 said it was."""

from __future__ import annotations

from .core import HistoryManager

__all__ = ["HistoryManager"]
