"""The documentation keeps up with the header, the sources and itself."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TOOLS = Path(__file__).resolve().parent.parent
ROOT = TOOLS.parent
sys.path.insert(0, str(TOOLS))

import header  # noqa: E402  pylint: disable=wrong-import-position

DOCS = ROOT / "docs"
PAGES = sorted({*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "bindings").glob("*/README.md")})
LIBRARY = ROOT / "dist" / "libmemex.so.0"


@dataclass(frozen=True)
class Block:
    """A fenced block of code."""

    page: Path
    line: int
    info: str
    text: str

    @property
    def name(self) -> str:
        """Where it stands, for messages."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page."""
    info: str | None = None
    start, lines = 0, list[str]()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if not line.startswith("```"):
            lines.append(line)
        elif info is None:
            info, start, lines = line[3:].strip(), number, []
        else:
            yield Block(page, start, info, "\n".join(lines) + "\n")
            info = None
    assert info is None, f"{page}: the block of line {start} has no end"


def prose(page: Path) -> str:
    """A page without its blocks and code spans."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    return re.sub(r"`[^`\n]*`", "``", text)


def of_kind(*infos: str) -> list[Any]:
    """The blocks of some kinds, as test parameters."""
    found = [block for page in PAGES for block in blocks(page) if block.info in infos]
    assert found
    return [pytest.param(block, id=block.name) for block in found]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    titles = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_function_is_audited() -> None:
    """Each function of the header has one row in the audit, and no row is of another."""
    page = (DOCS / "reference" / "abi.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(memex_\w+)` \|", page, re.M)
    names = [entry.name for entry in header.load().functions]
    # A struct and the callbacks have rows of their own in other tables.
    others = {entry.name for entry in header.load().structs + header.load().callbacks}
    assert sorted(row for row in rows if row not in others) == sorted(names)


def test_every_status_is_explained() -> None:
    """Each status has one row, with its number and its retryable flag."""
    page = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(MEMEX_\w+)` \| (-?\d+) \|", page, re.M))
    wanted = {
        entry.name: str(entry.value)
        for entry in header.load().constants
        if entry.name.startswith("MEMEX_E_") or entry.name in ("MEMEX_OK", "MEMEX_DONE")
    }
    assert rows == wanted
    again = re.findall(r"^\| `MEMEX_E_(\w+)` \| -\d+ \| [^|]*\| yes \|", page, re.M)
    source = (ROOT / "Sources/MemexModel/MemexError.swift").read_text(encoding="utf-8")
    retryable = re.search(r"case (\.[^:]+):\s+return true", source)
    assert retryable
    cases = {name.strip(" .").lower() for name in retryable.group(1).split(",")}
    assert {name.replace("_", "").lower() for name in again} == cases


def test_every_detail_is_explained() -> None:
    """Each key that an error's details may have stands in the table."""
    page = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`(\w+)`", page[page.index("## Details") :]))
    found = set[str]()
    for source in (ROOT / "Sources").rglob("*.swift"):
        text = source.read_text(encoding="utf-8")
        begin = r"(?:detailMembers: (?:path\(what, )?|members =\s+)"
        for members in re.findall(begin + r'"((?:\\.|[^"\\])*)"', text):
            found |= set(re.findall(r'\\"(\w+)\\":', members))
    assert found >= {"path", "offset", "limit", "engine_code"}
    assert found <= explained, sorted(found - explained)


def test_every_table_is_explained() -> None:
    """Each table and column of the SQLite file stands in its page, and each of the view."""
    page = (DOCS / "reference" / "sqlite.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"`(\w+)`|^### (\w+)$", page, re.M))
    explained = {either for pair in explained for either in pair}
    source = (ROOT / "Sources/MemexSQLite/SQLiteSchema.swift").read_text(encoding="utf-8")
    tables = re.findall(r"CREATE TABLE (\w+)\((.*?)\)(?: WITHOUT ROWID)?\n? *\"", source, re.S)
    assert {name for name, _ in tables} >= {"threads", "messages"}
    for name, columns in tables:
        words = {column.split()[0] for column in re.split(r",\s*", columns.strip())}
        words = {word for word in words if word.isidentifier() and word.islower()}
        assert words | {name} <= explained, (name, sorted(words - explained))
    assert set(re.findall(r"INDEX (\w+) ON", source)) <= explained


def test_limits() -> None:
    """The limits are those of the sources."""
    page = (DOCS / "reference" / "json.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", page, re.M))
    source = (ROOT / "Sources/MemexModel/Limits.swift").read_text(encoding="utf-8")
    for name, value in re.findall(r"static let (\w+)(?:: Int64)? = (.+)", source):
        key = re.sub(r"([A-Z])", lambda found: "_" + found.group(1).lower(), name)
        if key != "option_bytes":
            number = eval(value.replace("_", ""), {})  # pylint: disable=eval-used
            assert rows[key] == str(number), key


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page: Path) -> None:
    """Each relative link leads somewhere, to a heading that is there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{target}: there is no such file"
        if anchor:
            assert anchor in anchors(found), f"{target}: there is no such heading"


def test_index() -> None:
    """Each page is reached from the index."""
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    for page in DOCS.rglob("*.md"):
        assert page.name == "README.md" or f"({page.relative_to(DOCS)})" in index, page


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({key for key, _ in pairs}) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize("block", of_kind("json"))
def test_json_blocks(block: Block) -> None:
    """JSON is JSON, as strict as the library is."""
    json.loads(block.text, object_pairs_hook=_no_duplicates)


@pytest.mark.parametrize("block", of_kind("python"))
def test_python_blocks(block: Block) -> None:
    """Python parses."""
    ast.parse(block.text, block.name)


@pytest.mark.parametrize("block", of_kind("c run", "cpp run"))
def test_programs(block: Block, tmp_path: Path) -> None:
    """Programs compile without a warning, and run if the library was built."""
    is_c = block.info == "c run"
    source = tmp_path / ("program.c" if is_c else "program.cpp")
    source.write_text(block.text, encoding="utf-8")
    compiler = ["cc", "-std=c99", "-Wpedantic"] if is_c else ["c++", "-std=c++17", "-Wpedantic"]
    flags = ["-Wall", "-Wextra", "-Werror", f"-I{ROOT}/include", f"-I{ROOT}/bindings/cpp"]
    program = tmp_path / "program"
    if not LIBRARY.exists():
        subprocess.run([*compiler, *flags, "-fsyntax-only", str(source)], check=True)
        return
    link = [f"-L{LIBRARY.parent}", "-lmemex", f"-Wl,-rpath,{LIBRARY.parent}"]
    subprocess.run([*compiler, *flags, str(source), "-o", str(program), *link], check=True)
    done = subprocess.run(
        [str(program)], check=False, cwd=tmp_path, timeout=60, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout


def test_findings(tmp_path: Path) -> None:
    """What these tests look for is found."""
    page = tmp_path / "page.md"
    text = "# A title, with marks!\n[x](nowhere.md) `[y](no)`\n```json\n{}\n```\n"
    page.write_text(text, encoding="utf-8")
    assert anchors(page) == {"a-title-with-marks"}
    assert re.findall(r"\]\(([^)\s]+)\)", prose(page)) == ["nowhere.md"]
    assert [(block.info, block.text) for block in blocks(page)] == [("json", "{}\n")]
    with pytest.raises(AssertionError):
        json.loads('{"a": 1, "a": 2}', object_pairs_hook=_no_duplicates)
