"""Algorithms of memexllm 0.1 by their names: steps of memexllm.strategies.

An algorithm of your own is a function, see memexllm.register_strategy.
"""

from __future__ import annotations

from . import strategies
from ._checks import SEQ, integer


def FIFOAlgorithm(max_messages: int = 100) -> strategies.Step:  # pylint: disable=invalid-name
    """Keeps the last messages; system messages and whole tool calls stay, as providers want."""
    return strategies.fifo(integer("max_messages", max_messages, (1, SEQ)))


__all__ = ["FIFOAlgorithm"]
