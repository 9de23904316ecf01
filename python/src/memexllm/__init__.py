"""The memory of LLM applications: conversations kept for good."""

from __future__ import annotations

import ctypes
from pathlib import Path

from ._ffi import bind

__version__ = "0.2.0"


def _find() -> Path:
    here = Path(__file__).resolve().parent
    bundled = here / "_native" / "libmemex.so.0"
    return bundled if bundled.exists() else here.parents[2] / "dist" / "libmemex.so.0"


def native_version() -> int:
    """Version of the native library as a number."""
    function = ctypes.CDLL(str(_find())).memex_version_number
    function.restype = ctypes.c_uint32
    return int(function())


__all__ = ["bind", "native_version"]
