"""Each check turns red when what it guards is broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOOLS))

# pylint: disable=wrong-import-position
import check_exports  # noqa: E402
import check_imports  # noqa: E402
import check_traps  # noqa: E402
import generate_misuse_test  # noqa: E402
import generate_python_ffi  # noqa: E402
import header  # noqa: E402
import locked_requirements  # noqa: E402
from misuse_expectations import ROWS, Row  # noqa: E402

SECTION = "/* " + "-" * 40 + "\n * Things\n * " + "-" * 37 + " */\n"


def test_header_is_understood() -> None:
    """Every declaration that looks like a function is one."""
    text = header.HEADER.read_text(encoding="utf-8")
    found = header.load()
    assert len(found.functions) == text.count("@since")
    assert all(entry.doc and entry.section and entry.since for entry in found.functions)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("int32_t memex_x(void);", "no doc comment"),
        ("/** Does. */\nint32_t memex_x(void);", "no @since"),
        ("/** Does. @since 0.2 */\nint32_t memex_x(void)", "without an end"),
        ("/** Does. @since 0.2 */\nint32_t memex_x(int);", "not understood"),
        ("/** A thing. */\n#define MEMEX_X some_expression(1)\n", "not understood"),
    ],
)
def test_header_rules(text: str, complaint: str) -> None:
    """A function without a comment or a version does not pass."""
    with pytest.raises(header.HeaderError, match=complaint):
        header.parse(SECTION + text)


def test_function_pointer_fields() -> None:
    """The vtable's signatures are read."""
    backend = next(entry for entry in header.load().structs if entry.name == "memex_backend")
    scan = next(entry.callback for entry in backend.fields if entry.name == "scan")
    assert scan is not None
    assert [entry.name for entry in scan.parameters][-3:] == ["descending", "limit", "reply"]


def test_misuse_rows_are_complete() -> None:
    """A function without a row and a row without a function break the build."""
    parsed = header.load()
    without = {name: row for name, row in ROWS.items() if name != "memex_thread_get"}
    with pytest.raises(header.HeaderError, match="memex_thread_get has no row"):
        generate_misuse_test.render(parsed, without)
    with pytest.raises(header.HeaderError, match="a row for memex_gone"):
        generate_misuse_test.render(parsed, {**ROWS, "memex_gone": Row()})
    with pytest.raises(header.HeaderError, match="texts are"):
        generate_misuse_test.render(parsed, {**ROWS, "memex_thread_open": Row()})


def test_generated_files_are_complete() -> None:
    """Every function of the header is in both generated files."""
    parsed = header.load()
    prototypes = generate_python_ffi.render(parsed)
    matrix = generate_misuse_test.render(parsed, ROWS)
    for entry in parsed.functions:
        assert f'"{entry.name}"' in prototypes
        assert f"run_{entry.name}" in matrix


@pytest.mark.parametrize(
    ("target", "line", "complaint"),
    [
        ("MemexModel", "internal import Foundation", "imports Foundation"),
        ("MemexModel", "@preconcurrency import Dispatch", "imports Dispatch"),
        ("Memex", "import _Concurrency", "imports _Concurrency"),
        ("Memex", "func f() async throws {}", "Swift concurrency"),
        ("MemexModel", "package import MemexStorage", "MemexModel must not use it"),
        ("MemexSQLite", "internal import MemexContext", "MemexSQLite must not use it"),
        ("MemexStorage", "import struct Memex.Store", "MemexStorage must not use it"),
        ("MemexElsewhere", "import Glibc", "has no row"),
    ],
)
def test_imports(tmp_path: Path, target: str, line: str, complaint: str) -> None:
    """An import against the direction is found."""
    folder = tmp_path / "Sources" / target
    folder.mkdir(parents=True)
    (folder / "File.swift").write_text(f"{line}\n", encoding="utf-8")
    assert any(complaint in problem for problem in check_imports.problems(tmp_path / "Sources"))


def test_imports_in_comments_and_strings(tmp_path: Path) -> None:
    """What is no code is no import."""
    folder = tmp_path / "Sources" / "MemexModel"
    folder.mkdir(parents=True)
    text = '/*\nimport Foundation\n*/\nlet text = """\nimport Dispatch\n"""\nlet a = "await b"\n'
    (folder / "File.swift").write_text(text, encoding="utf-8")
    assert not check_imports.problems(tmp_path / "Sources")


@pytest.mark.parametrize(
    "line",
    [
        "let x = try! f()",
        "let x = y as! Int",
        "let x = table[0]!.name",
        "let x = value!",
        "let x = a ? b: c!",
        "let x = y.unsafelyUnwrapped",
        "precondition(x > 0)",
        'fatalError("no")',
        "// swift: -Ounchecked",
    ],
)
def test_trap_sources(tmp_path: Path, line: str) -> None:
    """Expressions that trap are found in the boundary's sources."""
    folder = tmp_path / "Sources" / "MemexABI"
    folder.mkdir(parents=True)
    (folder / "File.swift").write_text(f"{line}\n", encoding="utf-8")
    assert check_traps.source_problems(tmp_path)


def test_trap_sources_without_any(tmp_path: Path) -> None:
    """Negation, inequality and comments are not forced unwraps."""
    folder = tmp_path / "Sources" / "MemexABI"
    folder.mkdir(parents=True)
    text = (
        "guard !done, a != b, x !== y else { return } // it is!\n"
        "public func f(_ a: OpaquePointer!, _ b: UnsafeMutablePointer<OpaquePointer?>!) -> Int! {\n"
    )
    (folder / "File.swift").write_text(text, encoding="utf-8")
    assert not check_traps.source_problems(tmp_path)


def _library(folder: Path, source: str, *flags: str) -> Path:
    code, library = folder / "x.c", folder / "libmemex.so.0"
    code.write_text(source, encoding="utf-8")
    subprocess.run(["cc", "-shared", "-fPIC", str(code), "-o", str(library), *flags], check=True)
    return library


def test_exports_both_ways(tmp_path: Path) -> None:
    """A function too few and one too many are found."""
    library = _library(
        tmp_path, "int memex_version(void) { return 1; } int leaked(void) { return 2; }"
    )
    found = check_exports.export_problems(library)
    assert "leaked is exported and not in the header" in found
    assert "memex_thread_get is in the header and not exported" in found
    assert not any("memex_version " in problem for problem in found)


def test_linking(tmp_path: Path) -> None:
    """A library that is linked like any other fails in every respect."""
    plain = _library(
        tmp_path,
        "int x;",
        "-Wl,-z,execstack,-z,lazy,-z,norelro,-rpath,/tmp",
        "-Wl,--no-as-needed",
        "-lresolv",
    )
    text = "\n".join(check_exports.link_problems(plain))
    for word in ("SONAME", "libresolv", "PATH", "BIND_NOW", "NODELETE", "RELRO", "stack"):
        assert word in text
    good = "-Wl,-soname=libmemex.so.0,-z,now,-z,relro,-z,nodelete,-z,noexecstack"
    assert not check_exports.link_problems(_library(tmp_path, "int x;", good))


def test_traps_are_attributed(tmp_path: Path) -> None:
    """A trap is found and named with its function."""
    code = tmp_path / "Boundary.c"
    code.write_text(
        "int safe(int x) { return x; } void trapping(void) { __builtin_trap(); }", encoding="utf-8"
    )
    target = tmp_path / "Boundary.swift.o"
    subprocess.run(["cc", "-c", str(code), "-o", str(target)], check=True)
    assert dict(check_traps.traps([target])) == {("Boundary.swift.o", "trapping"): 1}


def test_locked_requirements_of_some() -> None:
    """What is asked for and what that needs, in each of its versions; nothing else."""
    packages: list[dict[str, Any]] = [
        {"name": "a", "version": "1", "dependencies": {"b": "*"}, "files": []},
        {"name": "b", "version": "1", "markers": 'python_version == "3.10"', "files": []},
        {"name": "b", "version": "2", "dependencies": {"c-d": "*", "gone": "*"}, "files": []},
        {"name": "c-d", "version": "1", "dependencies": {"a": "*"}, "files": []},
        {"name": "other", "version": "1", "files": [{"hash": "sha256:0"}]},
    ]
    found = locked_requirements.needed(packages, ["B"])
    assert [(entry["name"], entry["version"]) for entry in found] == [
        ("a", "1"),
        ("b", "1"),
        ("b", "2"),
        ("c-d", "1"),
    ]
    assert locked_requirements.requirement(found[1]) == 'b==1 ; python_version == "3.10"'
    assert locked_requirements.requirement(packages[-1]).endswith("--hash=sha256:0")
    with pytest.raises(SystemExit, match="gone is not in"):
        locked_requirements.needed(packages, ["gone"])
