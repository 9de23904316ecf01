"""Build hook: puts the native library into the wheel and tags it for every Python 3 of one
platform.

The library comes from MEMEX_PREBUILT (a path to libmemex.so.0) or is built with Swift, from the
checkout around this folder or from the sources that an sdist carries.
"""

from __future__ import annotations

import os
import shutil
import subprocess  # nosec B404
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LIBRARY = "libmemex.so.0"


class NativeLibraryHook(BuildHookInterface):  # type: ignore[type-arg]
    """Called by hatchling before it packs a wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Places the library and tags the wheel; an sdist and an editable install need neither."""
        if self.target_name != "wheel":
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        if version == "editable":
            return
        native = Path(self.root) / "build" / "native"
        shutil.rmtree(native, ignore_errors=True)
        native.mkdir(parents=True)
        shutil.copy2(self._library(), native / LIBRARY)
        # The copy for systems without SQLite; `make wheel` gives it.
        fallback = os.environ.get("MEMEX_SQLITE")
        if fallback:
            shutil.copy2(fallback, native / "libsqlite3.so.0")
        for file in native.iterdir():
            file.chmod(0o755)
            build_data["force_include"][str(file)] = f"memexllm/_native/{file.name}"

    def _library(self) -> Path:
        prebuilt = os.environ.get("MEMEX_PREBUILT")
        if prebuilt:
            return Path(prebuilt)
        here = Path(self.root)
        for sources in (here, here.parent):
            if (sources / "Package.swift").is_file():
                return self._build(sources)
        raise RuntimeError("no Package.swift beside or above this folder: nothing to build from")

    def _build(self, sources: Path) -> Path:
        if shutil.which("swift") is None:
            raise RuntimeError(
                "building memexllm from source needs Swift 6.3 or newer"
                " (https://www.swift.org/install/linux/); the wheel does not"
            )
        self.app.display_info("building libmemex with Swift")
        result = subprocess.run(  # nosec B603 B607
            ["bash", str(sources / "tools" / "build_library.sh")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise RuntimeError(f"building libmemex failed:\n{result.stdout}")
        return sources / "dist" / LIBRARY
