"""No trap can be reached from outside data: a Swift trap ends the host process and cannot be
caught.

Each trap site of compiled Swift is one `ud2` (`brk` on ARM). This check takes the object files of
the release build, attributes every trap to its function, and fails when one is in the boundary
(MemexABI), in the JSON and scanner code of MemexModel, or in what MemexTokens does with text. Flags
and sources that would hide traps are looked for, too.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from check_imports import code_of

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "dist" / "release"

# Module -> which of its source files, by path: all of the boundary; of the model and the tokenizers
# what reads outside data.
MODULES: dict[str, str] = {
    "MemexABI": r".*",
    "MemexModel": r".*(JSON|Json|Scan|Byte|UTF8|Unicode|Escape|Number|Merge|Packed).*",
    # Registries and lists of names are not among them: what they hold is the program's.
    "MemexTokens": r"(?!.*(TokenizerRegistry|LoadedTokenizers|TextTokenizers)\.swift)"
    r".*(Piece|Rules|AsciiWindow|Merge|Character|TextLoad|TokenizerScratch|BytePair"
    r"|SpecialTokens|Estimate|Messages/|SplitPattern|Vocabulary|Token"
    r"|RankFile|PerfectHash|HeapArray|Files/|ImageWriter|PairRanks|LoadedImage).*",
}

# Functions whose trap no input can reach, and why. A short list: each line is a promise.
EXPLAINED: dict[str, str] = {
    "__swift_cannot_copy_noncopyable_type": "emitted by the compiler, never called",
}

_TRAP = re.compile(r"\t(ud2|brk)\b")
_SYMBOL = re.compile(r"^[0-9a-f]+ <(.+)>:$")
_HIDING = re.compile(r"-Ounchecked|-enforce-exclusivity=unchecked|-Xfrontend\s+-disable-.*check")
_UNSAFE = re.compile(
    r"\btry!|\bas!|\bunsafelyUnwrapped\b|\[unchecked:|\b_unsafe\w*Unchecked|\bunownedunsafe\b"
    r"|\b(?:precondition|preconditionFailure|fatalError|assert|assertionFailure)\s*\("
)
# Parameters and results of the exports are written `Type!`, as the header gives them.
_IMPLICIT_TYPE = re.compile(r"(?::|->)\s*[A-Z][\w.]*(?:<[^()]*?>)?\??!")
_FORCED = re.compile(r"[\w)\]}]!(?![=\w])")


def objects(build: Path) -> list[Path]:
    """The object files to look at."""
    found = []
    for module, pattern in MODULES.items():
        files = sorted((build / f"{module}.build").rglob("*.o"))
        if not files:
            raise SystemExit(f"no object files of {module} under {build}: run make build first")
        # A build folder keeps the objects of sources that are gone.
        folder = ROOT / "Sources" / module
        sources = {file.name: str(file.relative_to(folder)) for file in folder.rglob("*.swift")}
        for file in files:
            source = sources.get(file.name.removesuffix(".o"))
            if source and re.fullmatch(pattern, source):
                found.append(file)
    return found


def traps(files: Iterable[Path]) -> Counter[tuple[str, str]]:
    """(object file, mangled function) -> number of traps."""
    found: Counter[tuple[str, str]] = Counter()
    for file in files:
        listing = subprocess.run(
            ["objdump", "--disassemble", "--no-show-raw-insn", str(file)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        function = "?"
        for line in listing.splitlines():
            symbol = _SYMBOL.match(line)
            if symbol:
                function = symbol[1]
            elif _TRAP.search(line) and function not in EXPLAINED:
                found[file.name, function] += 1
    return found


def demangled(names: list[str]) -> list[str]:
    """Readable names of Swift functions."""
    if not names:
        return []
    result = subprocess.run(
        ["swift-demangle", "--simplified"],
        input="\n".join(names),
        check=True,
        capture_output=True,
        text=True,
    )
    return result.stdout.splitlines()


def source_problems(root: Path) -> list[str]:
    """Flags anywhere, and expressions in the sources, that hide or add traps."""
    found = []
    flags = [root / "Package.swift", root / "Makefile", *sorted((root / "tools").glob("*.sh"))]
    flags += sorted((root / "Sources").rglob("*.swift"))
    for file in flags:
        if not file.exists():
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            if _HIDING.search(line):
                found.append(f"{file.relative_to(root)}:{number}: a flag that hides traps")
    boundary = root / "Sources" / "MemexABI"
    model = root / "Sources" / "MemexModel"
    for file in [*sorted(boundary.rglob("*.swift")), *sorted(model.rglob("*.swift"))]:
        for number, line in enumerate(code_of(file.read_text(encoding="utf-8")), 1):
            where = f"{file.relative_to(root)}:{number}"
            if _UNSAFE.search(line):
                found.append(f"{where}: traps or is unchecked: {line.strip()}")
            elif boundary in file.parents and _FORCED.search(_IMPLICIT_TYPE.sub("", line)):
                found.append(f"{where}: a forced unwrap: {line.strip()}")
    return found


def main() -> int:
    """Prints the offenders; the exit status."""
    build = Path(sys.argv[1]) if len(sys.argv) > 1 else BUILD
    files = objects(build)
    found = traps(files)
    names = demangled([function for _, function in found])
    for ((file, _), count), name in zip(found.items(), names, strict=True):
        print(f"{file}: {count} trap{'s' if count > 1 else ''} in {name}", file=sys.stderr)
    unsafe = source_problems(ROOT)
    for problem in unsafe:
        print(problem, file=sys.stderr)
    print(f"{sum(found.values())} traps in {len(files)} object files, {len(unsafe)} in the sources")
    return 1 if found or unsafe else 0


if __name__ == "__main__":
    sys.exit(main())
