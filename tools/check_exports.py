"""The shipped library exports the functions of the header and nothing else, and is linked as it
must be.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from header import HEADER, ROOT, load

# Ten of them are vocabularies.
SIZE_MAX = 20 << 20
SHOWN_MAX = 20
LOAD_MS_MAX = 5.0
# What the library may need of the system: the wheel bundles jansson, SQLite is loaded at run time.
NEEDED = {
    "libc.so.6",
    "libm.so.6",
    "libgcc_s.so.1",
    "libstdc++.so.6",
    "libjansson.so.4",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
    "libdl.so.2",
    "libpthread.so.0",
}


def run(*command: str) -> str:
    """What a tool prints, in English."""
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment
    ).stdout


def exported(library: Path) -> set[str]:
    """Names in the dynamic symbol table that others can link to."""
    lines = run("nm", "-D", "--defined-only", "--format=posix", str(library)).splitlines()
    return {line.split()[0].split("@")[0] for line in lines if line.strip()}


def export_problems(library: Path, header: Path = HEADER) -> list[str]:
    """Differences between the header and the library, both ways."""
    wanted = {entry.name for entry in load(header).functions}
    present = exported(library)
    missing = [f"{name} is in the header and not exported" for name in sorted(wanted - present)]
    extra = [f"{name} is exported and not in the header" for name in sorted(present - wanted)]
    return missing + extra


def link_problems(library: Path) -> list[str]:
    """What the dynamic section and the program headers say that they must not."""
    dynamic = run("readelf", "--dynamic", "--wide", str(library))
    programs = run("readelf", "--program-headers", "--wide", str(library))
    found = []
    soname = re.findall(r"\(SONAME\).*\[(.*)\]", dynamic)
    if soname != ["libmemex.so.0"]:
        found.append(f"the SONAME is {soname}, not libmemex.so.0")
    for name in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
        if name not in NEEDED:
            found.append(f"the library needs {name}")
    for tag in ("RPATH", "RUNPATH", "TEXTREL"):
        if re.search(rf"\({tag}\)", dynamic):
            found.append(f"the dynamic section has {tag}")
    flags = re.search(r"\(FLAGS\)\s+(.*)", dynamic)
    flags_1 = re.search(r"\(FLAGS_1\)\s+(.*)", dynamic)
    if not flags or "BIND_NOW" not in flags[1]:
        found.append("symbols are not bound at load (BIND_NOW)")
    if flags and "TEXTREL" in flags[1]:
        found.append("the code has relocations (TEXTREL)")
    if not flags_1 or "NODELETE" not in flags_1[1]:
        found.append("the library can be unloaded (no NODELETE)")
    if "GNU_RELRO" not in programs:
        found.append("relocations stay writable (no RELRO)")
    stack = re.search(r"GNU_STACK(?:\s+0x[0-9a-f]+){5}\s+([RWE ]+)", programs)
    if not stack or "E" in stack[1]:
        found.append("the stack is executable")
    return found


def load_ms(library: Path) -> float:
    """Milliseconds that loading takes: the best of ten processes, for machines are noisy."""
    program = (
        "import ctypes, sys, time; began = time.perf_counter(); ctypes.CDLL(sys.argv[1]); "
        "print((time.perf_counter() - began) * 1000)"
    )
    return min(float(run(sys.executable, "-c", program, str(library))) for _ in range(10))


def main() -> int:
    """Prints the problems; the exit status."""
    library = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist" / "libmemex.so.0"
    size = library.stat().st_size
    found = export_problems(library) + link_problems(library)
    if size > SIZE_MAX:
        found.append(f"the library has {size} bytes, more than {SIZE_MAX}")
    loaded = load_ms(library)
    if loaded > LOAD_MS_MAX:
        found.append(f"loading takes {loaded:.1f} ms, more than {LOAD_MS_MAX}")
    for problem in found[:SHOWN_MAX]:
        print(problem, file=sys.stderr)
    if len(found) > SHOWN_MAX:
        print(f"... and {len(found) - SHOWN_MAX} more", file=sys.stderr)
    print(
        f"{len(exported(library))} of {len(load().functions)} functions exported, "
        f"{size / 1e6:.1f} MB, loaded in {loaded:.1f} ms, {len(found)} problems"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
