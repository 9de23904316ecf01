"""Writes Tests/C/misuse_matrix.c from include/memex.h and tools/misuse_expectations.py.

    python3 tools/generate_misuse_test.py          write the file
    python3 tools/generate_misuse_test.py --check  fail when the committed file is not fresh

Each function of the header becomes a thunk, which calls it with the arguments of a struct and
checks that its outputs were cleared, and a row of expectations. Tests/C/misuse_matrix/run.h runs
the cases.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from generated import write_or_check
from header import ROOT, Function, Header, HeaderError, Parameter, bare, load
from misuse_expectations import ANY, BUSY, REENTRANT, ROWS, Expected, Row, Text

TARGET = ROOT / "Tests" / "C" / "misuse_matrix.c"
# Arrays of one element, which the parameter n says.
_ARRAYS = {"const uint32_t *": "0", "const size_t *": "c->text[0].len"}
_NUMBERS = ("int32_t", "uint32_t", "int64_t", "memex_status")

_FUNCTIONS = {
    "memex_log_fn": "misuse_log",
    "memex_strategy_fn": "plain_strategy",
    "const memex_tokenizer_functions *": "&plain_tokenizer",
}


@dataclass
class Plan:
    """How one function is called."""

    function: Function
    handles: list[Parameter] = field(default_factory=list)
    texts: list[Parameter] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


def kind(c_type: str) -> str:
    """memex_thread * -> KIND_THREAD"""
    return "KIND_" + bare(c_type).removeprefix("memex_").upper()


def _output(plan: Plan, parameter: Parameter, header: Header) -> bool:
    """Adds an output parameter; False when it is none."""
    name, inner = parameter.name, bare(parameter.type)
    if parameter.type == "memex_error **":
        plan.flags.append("HAS_ERROR")
        plan.before.append(f"memex_error *{name} = poison();")
        plan.arguments.append(f"c->omit_error ? NULL : &{name}")
        plan.after.append(f"check_error(o, {name}, c->omit_error);")
    elif parameter.type.endswith(" **") and inner in header.handles:
        plan.before.append(f"{inner} *{name} = poison();")
        plan.arguments.append(f"c->omit_output ? NULL : &{name}")
        plan.after.append(f"check_handle(o, {name}, {kind(inner)}, c->omit_output);")
    elif parameter.type == "memex_bytes *" and plan.function.returns != "void":
        plan.before.append(f"memex_bytes {name} = {{poison(), 77}};")
        plan.arguments.append(f"c->omit_output ? NULL : &{name}")
        plan.after.append(f"check_bytes(o, &{name}, c->omit_output);")
    elif parameter.type == "memex_receipt *":
        plan.flags.append("HAS_RECEIPT")
        plan.before.append(f"memex_receipt {name} = poisoned_receipt(c->receipt_size);")
        plan.arguments.append(f"c->omit_output ? NULL : &{name}")
        plan.after.append(f"check_receipt(o, &{name}, c);")
    elif parameter.type == "int64_t *":
        plan.before.append(f"int64_t {name} = POISON_NUMBER;")
        plan.arguments.append(f"c->omit_output ? NULL : &{name}")
        plan.after.append(f"check_number(o, {name}, c->omit_output);")
    else:
        return False
    if parameter.type != "memex_error **":
        plan.flags.append("HAS_OUTPUT")
        plan.outputs.append(name)
    return True


def _input(plan: Plan, parameter: Parameter, header: Header) -> None:
    """Adds an input parameter."""
    if header.is_handle(parameter.type):
        plan.arguments.append(f"c->handle[{len(plan.handles)}]")
        plan.handles.append(parameter)
    elif parameter.type == "const char *":
        plan.arguments.append(f"c->text[{len(plan.texts)}].data")
        plan.texts.append(parameter)
    elif parameter.type == "size_t" and parameter.name == "n":
        plan.arguments.append("1")
    elif parameter.type == "size_t":
        plan.arguments.append(f"c->text[{len(plan.texts) - 1}].len")
    elif parameter.type in _ARRAYS:
        first = _ARRAYS[parameter.type]
        plan.before.append(f"{parameter.type[:-2]} {parameter.name}[1] = {{{first}}};")
        plan.arguments.append(parameter.name)
    elif parameter.type in _NUMBERS:
        plan.flags.append("HAS_NUMBER")
        plan.arguments.append(f"({parameter.type})c->number")
    elif parameter.type == "memex_bytes *":
        plan.flags.append("HAS_BYTES")
        plan.arguments.append("c->bytes")
    elif parameter.type == "const memex_backend *":
        plan.flags.append("HAS_BACKEND")
        plan.arguments.append("c->backend")
    elif parameter.type in _FUNCTIONS:
        plan.flags.append("HAS_FUNCTION")
        plan.arguments.append(f"c->omit_function ? NULL : {_FUNCTIONS[parameter.type]}")
    elif parameter.type == "void *":
        plan.before.append("destroyed_count = 0;")
        plan.arguments.append("&destroyed_count")
    elif parameter.type == "memex_destroy_fn":
        plan.arguments.append("count_destroy")
        noun = plan.function.name.removeprefix("memex_register_")
        noun = "log" if noun == plan.function.name else noun
        plan.after.append(f'check_registration(o, "{noun}", c);')
    else:
        raise HeaderError(f"{plan.function.name}: no misuse for a {parameter.type}")


def plan_of(function: Function, header: Header) -> Plan:
    """Works out how to call a function."""
    plan = Plan(function)
    for parameter in function.parameters:
        if not _output(plan, parameter, header):
            _input(plan, parameter, header)
    if len([flag for flag in plan.flags if flag == "HAS_NUMBER"]) > 1:
        raise HeaderError(f"{function.name}: the generator handles one number a function")
    return plan


def thunk(plan: Plan) -> str:
    """The C function that makes the call and looks at the outputs."""
    function = plan.function
    call = f"{function.name}({', '.join(plan.arguments)})"
    if function.returns == "void":
        run = [f"{call};", "o->result = NOTHING;"]
    elif function.returns.endswith("*"):
        run = [f"o->result = {call} ? POINTER_SET : POINTER_NULL;"]
    else:
        run = [f"o->result = {call};"]
    lines = [*plan.before, *run, *plan.after]
    if not plan.arguments:
        lines.insert(0, "(void)c;")
    body = "\n".join(f"  {line}" for line in lines)
    return f"static void run_{function.name}(const call *c, outcome *o) {{\n{body}\n}}"


def _several(expected: Expected) -> tuple[str, ...]:
    return (expected,) if isinstance(expected, str) else expected


def answers(*expected: Expected) -> str:
    """A C initializer of the answers that are right; an empty set stands for any."""
    union = list(dict.fromkeys(value for entry in expected for value in _several(entry)))
    if ANY in union:
        return "{0, {0}}"
    if not 1 <= len(union) <= 6:
        raise HeaderError(f"one to six answers, please: {union}")
    return f"{{{len(union)}, {{{', '.join(union)}}}}}"


def c_text(value: str | None) -> str:
    """A C string literal with its length."""
    if value is None:
        return "{NULL, 0}"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{{"{escaped}", {len(value.encode())}}}'


def _text(name: str, text: Text, row: Row) -> str:
    missing = text.missing or (row.valid if text.optional else "MEMEX_E_INVALID")
    return f'{{"{name}", {c_text(text.valid)}, TEXT_{text.kind.upper()}, ' f"{answers(missing)}}}"


def check_row(plan: Plan, row: Row) -> None:
    """A row must fit the function's parameters."""
    names = [parameter.name for parameter in plan.texts]
    if names != list(row.texts):
        raise HeaderError(f"{plan.function.name}: texts are {names}, its row has {list(row.texts)}")
    known = [parameter.name for parameter in plan.handles] + plan.outputs
    for name in row.nullable:
        if name not in known:
            raise HeaderError(f"{plan.function.name}: {name} is no handle and no output")
    if bool(row.number or row.numbers) != ("HAS_NUMBER" in plan.flags):
        raise HeaderError(f"{plan.function.name}: its row and its number do not fit")


def describe(plan: Plan, row: Row) -> str:
    """The C initializer of one function's row."""
    check_row(plan, row)
    flags = list(plan.flags)
    if any(name in row.nullable for name in plan.outputs):
        flags.append("OUTPUT_NULLABLE")
    handles = ", ".join(
        f'{{"{p.name}", {kind(p.type)}, {int(p.name in row.nullable)}}}' for p in plan.handles
    )
    texts = ",\n             ".join(_text(name, text, row) for name, text in row.texts.items())
    numbers = ", ".join(f"{{{value}, {answers(right)}}}" for value, right in row.numbers.items())
    strategy = row.strategy or row.valid
    backend = row.backend or (*_several(row.valid), REENTRANT, BUSY)
    if plan.function.returns != "memex_status":
        backend = row.backend or row.valid
    fields = [
        f'.name = "{plan.function.name}"',
        f".run = run_{plan.function.name}",
        f".flags = {' | '.join(flags) or '0'}",
        f".context = CONTEXT_{row.context.upper()}",
        f".handles = {len(plan.handles)}",
        f".handle = {{{handles or '{NULL, KIND_NONE, 0}'}}}",
        f".texts = {len(plan.texts)}",
        f".text = {{{texts}}}" if texts else "",
        f".number = {row.number}",
        f".numbers = {len(row.numbers)}",
        f".other_number = {{{numbers}}}" if numbers else "",
        f".valid = {answers(row.valid)}",
        f".bad = {answers(row.bad)}",
        f".closed = {answers(row.closed)}",
        f".forked = {answers(row.forked if plan.handles else row.valid)}",
        f".in_strategy = {answers(strategy)}",
        f".in_backend = {answers(backend)}",
        f".in_other = {answers(row.other or row.valid)}",
        f".function_missing = {answers(row.function_missing)}",
    ]
    inner = ",\n     ".join(entry for entry in fields if entry)
    return f"    {{{inner}}},"


def render(header: Header, rows: dict[str, Row]) -> str:
    """The text of misuse_matrix.c."""
    names = [function.name for function in header.functions]
    for name in names:
        if name not in rows:
            raise HeaderError(f"{name} has no row in tools/misuse_expectations.py")
    for name in rows:
        if name not in names:
            raise HeaderError(
                f"tools/misuse_expectations.py has a row for {name}, the header has not"
            )
    plans = [plan_of(function, header) for function in header.functions]
    parts = [
        "/* Generated by tools/generate_misuse_test.py from include/memex.h and",
        "   tools/misuse_expectations.py: change those, not this file. */",
        '#include "misuse_matrix/run.h"',
        "",
        *(thunk(plan) + "\n" for plan in plans),
        "static const function functions[] = {",
        *(describe(plan, rows[plan.function.name]) for plan in plans),
        "};",
        "",
        "int main(int argc, char **argv) {",
        "  return misuse_main(argc, argv, functions, sizeof functions / sizeof *functions);",
        "}",
        "",
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    try:
        sys.exit(write_or_check({TARGET: render(load(), ROWS)}, sys.argv[1:]))
    except HeaderError as problem:
        print(f"error: {problem}", file=sys.stderr)
        sys.exit(1)
