"""Parser of include/memex.h, shared by the generators.

The header is written by hand in a very regular style, so a small scanner is enough. Whatever it
does not understand is an error, never skipped: a generated file must not silently miss a
declaration.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEADER = ROOT / "include" / "memex.h"


class HeaderError(Exception):
    """The header breaks one of its own rules, or the parser does not understand it."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a function, or one field of a struct."""

    name: str
    type: str
    """C type in one spelling: "const char *", "memex_error **", "size_t"."""
    doc: str = ""
    callback: Callback | None = None
    """The signature, when a struct's field is a function pointer."""


@dataclass(frozen=True)
class Callback:
    """A function pointer type, or the signature of a struct's function pointer."""

    name: str
    returns: str
    parameters: tuple[Parameter, ...]
    doc: str


@dataclass(frozen=True)
class Function:
    """One exported function."""

    name: str
    returns: str
    parameters: tuple[Parameter, ...]
    doc: str
    section: str
    since: str


@dataclass(frozen=True)
class Struct:
    """A struct whose fields are public."""

    name: str
    fields: tuple[Parameter, ...]
    doc: str


@dataclass(frozen=True)
class Constant:
    """A #define with an integer value."""

    name: str
    value: int
    doc: str
    section: str


@dataclass
class Header:
    """Everything that include/memex.h declares, in its order."""

    constants: list[Constant] = field(default_factory=list)
    handles: dict[str, str] = field(default_factory=dict)
    """Opaque types and their comments."""
    structs: list[Struct] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)

    def function(self, name: str) -> Function:
        """The function of that name."""
        for entry in self.functions:
            if entry.name == name:
                return entry
        raise HeaderError(f"{name} is not declared")

    def is_handle(self, c_type: str) -> bool:
        """Whether a C type is a handle: one pointer to an opaque struct."""
        return bool(c_type.endswith(" *")) and bare(c_type) in self.handles


def bare(c_type: str) -> str:
    """The type without const and stars."""
    return c_type.replace("const ", "").rstrip("* ")


_TOKEN = re.compile(
    r"(?P<comment>/\*.*?\*/)|(?P<directive>^[ \t]*#[^\n]*)|(?P<extern>extern \"C\" \{)"
    r"|(?P<space>\s+)|(?P<code>[^;{}/#]+|.)",
    re.DOTALL | re.MULTILINE,
)
_SECTION = re.compile(r"/\* -{20,}\n \* (?P<title>[^\n]+)")
_DEFINE = re.compile(r"#define\s+(?P<name>MEMEX_\w+)\s+(?P<value>.+)")
_SINCE = re.compile(r"@since (\d+\.\d+)")


def clean_comment(comment: str) -> str:
    """The text of a comment without its stars."""
    lines = [re.sub(r"^\s*\* ?", "", line) for line in comment[3:-2].splitlines()]
    return "\n".join(line.rstrip() for line in lines).strip()


def normal_type(c_type: str) -> str:
    """One spelling of a C type."""
    text = " ".join(c_type.split())
    stars = text.count("*")
    text = " ".join(text.replace("*", " ").split())
    return f"{text} {'*' * stars}" if stars else text


def _split_parameters(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    return [part.strip() for part in parts]


def _parameters(text: str) -> tuple[Parameter, ...]:
    if text.strip() in ("", "void"):
        return ()
    found = []
    for part in _split_parameters(text):
        match = re.fullmatch(r"(?P<type>.+?[\s*])(?P<name>[a-z]\w*)", part, re.DOTALL)
        if not match:
            raise HeaderError(f"parameter not understood: {part!r}")
        found.append(Parameter(match["name"], normal_type(match["type"])))
    return tuple(found)


def _fields(body: str) -> tuple[Parameter, ...]:
    found, doc = [], ""
    for match in re.finditer(r"(?P<doc>/\*\*.*?\*/)|(?P<code>[^;/]+);|\s+", body, re.DOTALL):
        if match["doc"]:
            doc = clean_comment(match["doc"])
        elif match["code"]:
            code = match["code"].strip()
            pointer = re.fullmatch(
                r"(?P<returns>[\w ]+?)\s*\(\*(?P<name>\w+)\)\((?P<parameters>.*)\)", code, re.DOTALL
            )
            if pointer:
                signature = Callback(
                    pointer["name"],
                    normal_type(pointer["returns"]),
                    _parameters(pointer["parameters"]),
                    doc,
                )
                found.append(Parameter(pointer["name"], "callback", doc, signature))
            else:
                (plain,) = _parameters(code)
                found.append(Parameter(plain.name, plain.type, doc))
            doc = ""
    return tuple(found)


def _integer(name: str, text: str) -> int | None:
    """The value of a constant; None when it is not one that bindings need."""
    text = text.strip()
    if text == "((size_t)-1)":
        return -1
    match = re.fullmatch(r"\(?(-?(?:0x[0-9A-Fa-f]+|\d+))\)?", text)
    if not match:
        raise HeaderError(f"value of {name} not understood: {text!r}")
    return int(match[1], 0)


def _items(text: str) -> Iterator[tuple[str, str]]:
    """Comments, directives and whole declarations in the order of the text."""
    code, depth = "", 0
    for match in _TOKEN.finditer(text):
        piece = match[0]
        if match["comment"] or match["directive"]:
            if code.strip():
                code += piece if depth else ""
            else:
                yield ("comment" if match["comment"] else "directive"), piece.strip()
        elif match["extern"]:
            continue
        else:
            code += piece
            depth += {"{": 1, "}": -1}.get(piece, 0)
            if depth < 0:  # the end of extern "C"
                code, depth = "", 0
            elif piece == ";" and depth == 0:
                yield "code", code.strip().rstrip(";")
                code = ""
    if code.strip():
        raise HeaderError(f"declaration without an end: {code.strip()[:80]!r}")


def _add_function(header: Header, code: str, doc: str, section: str) -> None:
    match = re.fullmatch(
        r"(?P<returns>[\w ]+?[\s*]+)(?P<name>memex_\w+)\((?P<parameters>.*)\)", code, re.DOTALL
    )
    if not match:
        raise HeaderError(f"declaration not understood: {code[:80]!r}")
    name = match["name"]
    since = _SINCE.search(doc)
    if not doc:
        raise HeaderError(f"{name} has no doc comment")
    if not since:
        raise HeaderError(f"the doc comment of {name} has no @since")
    if not section:
        raise HeaderError(f"{name} stands in no section")
    header.functions.append(
        Function(
            name,
            normal_type(match["returns"]),
            _parameters(match["parameters"]),
            doc,
            section,
            since[1],
        )
    )


def _add_typedef(header: Header, code: str, doc: str) -> None:
    body = re.fullmatch(r"typedef struct (\w+) \{(.*)\} (\w+)", code, re.DOTALL)
    opaque = re.fullmatch(r"typedef struct (\w+) (\w+)", code)
    pointer = re.fullmatch(
        r"typedef (?P<returns>[\w ]+?)\s*\(\*(?P<name>\w+)\)\((?P<parameters>.*)\)", code, re.DOTALL
    )
    if not doc:
        raise HeaderError(f"type without a doc comment: {code[:60]!r}")
    if body:
        header.structs.append(Struct(body[3], _fields(body[2]), doc))
    elif opaque:
        header.handles[opaque[2]] = doc
    elif pointer:
        header.callbacks.append(
            Callback(
                pointer["name"],
                normal_type(pointer["returns"]),
                _parameters(pointer["parameters"]),
                doc,
            )
        )
    elif code != "typedef int32_t memex_status":
        raise HeaderError(f"typedef not understood: {code[:80]!r}")


def parse(text: str) -> Header:
    """Reads a header's text."""
    header, section, doc = Header(), "", ""
    for kind, piece in _items(text):
        if kind == "comment":
            title = _SECTION.match(piece)
            if title:
                section, doc = title["title"].strip(), ""
            elif piece.startswith("/**"):
                doc = clean_comment(piece)
            continue
        if kind == "directive":
            define = _DEFINE.match(piece)
            if define:
                value = _integer(define["name"], define["value"])
                if value is not None:
                    header.constants.append(Constant(define["name"], value, doc, section))
        elif piece.startswith("typedef"):
            _add_typedef(header, piece, doc)
        else:
            _add_function(header, piece, doc, section)
        doc = ""
    if not header.functions:
        raise HeaderError("no function found")
    return header


def load(path: Path = HEADER) -> Header:
    """Reads the header of this checkout."""
    return parse(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    for item in load().functions:
        print(item.name)
