"""What every function of the header must answer when it is misused: one row a function.

tools/generate_misuse_test.py turns the rows into Tests/C/misuse_matrix.c. A function of the header
without a row, a row without a function, and a row whose texts differ from the parameters all break
the build.

An expectation is one answer or several that are all right. The answers: a MEMEX_* status; for
functions that return something else POINTER_NULL, POINTER_SET, NOTHING (void) or a number; ANY
where the call must only come back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

OK = "MEMEX_OK"
INVALID = "MEMEX_E_INVALID"
NOT_FOUND = "MEMEX_E_NOT_FOUND"
HANDLE = "MEMEX_E_HANDLE"
CLOSED = "MEMEX_E_CLOSED"
FORKED = "MEMEX_E_FORKED"
REENTRANT = "MEMEX_E_REENTRANT"
BUSY = "MEMEX_E_BUSY"
LIMIT = "MEMEX_E_LIMIT"
DENIED = "MEMEX_E_DENIED"
UNSUPPORTED = "MEMEX_E_UNSUPPORTED"
NULL = "POINTER_NULL"
SET = "POINTER_SET"
NOTHING = "NOTHING"
ANY = "ANY"

Expected = str | tuple[str, ...]


@dataclass(frozen=True)
class Text:
    """A text parameter (pointer and length): a value that is right, and what kind it is."""

    valid: str | None
    kind: str
    """json, id, word (a name or a role), text, bytes."""
    optional: bool = False
    """NULL with length 0 is allowed."""
    missing: Expected = ()
    """What NULL with length 0 answers, where neither the valid answer nor INVALID is meant."""


@dataclass(frozen=True)
class Row:
    """The expectations for one function."""

    valid: Expected = OK
    """With live handles and right arguments."""
    bad: Expected = HANDLE
    """With a handle that is NULL, random, stale, freed twice or of the wrong type."""
    closed: Expected = CLOSED
    """With a handle whose store was closed."""
    forked: Expected = FORKED
    """In a forked child, with inherited handles."""
    strategy: Expected = ()
    """From inside a strategy's callback, on the store it runs for; like valid when not given."""
    backend: Expected = ()
    """From inside a backend's callback, on its own store; or REENTRANT or BUSY."""
    other: Expected = ()
    """From inside a backend's callback, on another store; like valid when not given."""
    texts: dict[str, Text] = field(default_factory=dict)
    nullable: tuple[str, ...] = ()
    """Handles and outputs that may be NULL."""
    number: int = 0
    """A right value of the one plain number among the parameters."""
    numbers: dict[str, Expected] = field(default_factory=dict)
    """Other values of it."""
    context: str = "outside"
    """Where the function works at all: outside, strategy (callback), backend (callback)."""
    function_missing: Expected = INVALID
    """With NULL for a callback."""


OPTIONS = Text(None, "json", optional=True)
CONFIG = Text('{"url":"memory:"}', "json")
ID = Text("t1", "id")
MESSAGE = Text('{"role":"user","content":"hello"}', "json")
VERY_NEGATIVE, VERY_LARGE = "INT64_MIN", "INT64_MAX"


def getter(valid: Expected, bad: Expected) -> Row:
    """A function that returns what the handle itself knows; it has no status to say CLOSED with."""
    return Row(valid=valid, bad=bad, closed=ANY, forked=ANY)


FREE = Row(valid=NOTHING, bad=NOTHING, closed=NOTHING, forked=NOTHING)

ROWS: dict[str, Row] = {
    # Library
    "memex_version_number": Row(valid="MEMEX_VERSION_NUMBER"),
    "memex_version": Row(valid=SET),
    "memex_check_abi": Row(
        number=1, numbers={"0": UNSUPPORTED, "2": UNSUPPORTED, "UINT32_MAX": UNSUPPORTED}
    ),
    "memex_status_name": Row(
        valid=SET, number=-5, numbers={"INT32_MIN": SET, "INT32_MAX": SET, "77": SET}
    ),
    "memex_describe": Row(),
    "memex_bytes_free": Row(valid=NOTHING),
    "memex_log_handler": Row(
        number=2,
        numbers={"INT32_MIN": (INVALID, OK), "INT32_MAX": (INVALID, OK), "99": (INVALID, OK)},
        function_missing=OK,
    ),
    # Errors
    "memex_error_code": Row(valid=NOT_FOUND, forked=(FORKED, HANDLE, NOT_FOUND)),
    # What they say of a bad handle is not promised, only that it can be printed or is NULL.
    "memex_error_message": getter(SET, (SET, NULL)),
    "memex_error_details": getter(SET, (SET, NULL)),
    "memex_error_retryable": Row(valid="0", bad="0", forked="0"),
    "memex_error_free": FREE,
    # Stores
    "memex_store_open": Row(texts={"config": CONFIG}),
    "memex_session_open": Row(texts={"options": Text('{"tenant":"acme"}', "json", missing=ANY)}),
    "memex_store_close": Row(closed=(OK, CLOSED), strategy=REENTRANT, backend=REENTRANT),
    "memex_store_flush": Row(),
    "memex_store_interrupt": Row(),
    "memex_store_command": Row(
        closed=(CLOSED, DENIED),  # a session may not run commands at all
        texts={
            "name": Text("stats", "word", missing=(INVALID, NOT_FOUND)),
            "arguments": OPTIONS,
        },
        nullable=("out",),
    ),
    # Transactions
    "memex_txn_begin": Row(texts={"options": OPTIONS}),
    # "Inside a commit" is inside the commit of this very transaction, which consumed the handle.
    "memex_txn_store": replace(getter(SET, NULL), backend=(SET, NULL)),
    "memex_txn_commit": Row(nullable=("out",), backend=(OK, REENTRANT, BUSY, HANDLE)),
    "memex_txn_rollback": FREE,
    # Threads
    "memex_thread_create": Row(texts={"init": Text('{"id":"t2"}', "json", optional=True)}),
    "memex_thread_open": Row(texts={"id": ID}),
    "memex_thread_free": FREE,
    "memex_thread_id": getter(SET, NULL),
    "memex_thread_get": Row(),
    "memex_thread_update": Row(
        texts={"patch": Text('{"title":"x"}', "json"), "options": OPTIONS}, nullable=("out",)
    ),
    "memex_thread_delete": Row(texts={"id": ID, "options": OPTIONS}),
    "memex_thread_fork": Row(texts={"options": OPTIONS}),
    "memex_thread_list": Row(texts={"query": OPTIONS}),
    "memex_thread_append": Row(texts={"messages": MESSAGE, "options": OPTIONS}, nullable=("out",)),
    "memex_thread_append_text": Row(
        texts={
            "role": Text("user", "word"),
            "text": Text("hello", "text", missing=(OK, INVALID)),
            "options": OPTIONS,
        },
        nullable=("out",),
    ),
    "memex_thread_messages": Row(texts={"query": OPTIONS}),
    "memex_thread_count": Row(),
    # Messages
    "memex_message_open": Row(texts={"id": Text("m1", "id")}),
    "memex_message_at": Row(
        number=1,
        numbers={
            "0": (INVALID, NOT_FOUND),
            "-1": (INVALID, NOT_FOUND),
            "99": NOT_FOUND,
            VERY_NEGATIVE: (INVALID, NOT_FOUND),
            VERY_LARGE: (INVALID, NOT_FOUND),
        },
    ),
    "memex_message_free": FREE,
    "memex_message_id": getter(SET, NULL),
    "memex_message_seq": getter("1", "0"),
    "memex_message_role": getter(SET, NULL),
    "memex_message_body": Row(),
    "memex_message_json": Row(),
    "memex_message_replace": Row(texts={"body": MESSAGE, "options": OPTIONS}),
    "memex_message_update_metadata": Row(
        texts={"patch": Text('{"k":1}', "json"), "options": OPTIONS}
    ),
    "memex_message_delete": Row(texts={"options": OPTIONS}),
    # Cursors
    "memex_cursor_next": Row(),
    "memex_cursor_token": Row(),
    "memex_cursor_free": FREE,
    # Tokens
    "memex_tokenizer_open": Row(texts={"options": Text('{"encoding":"cl100k_base"}', "json")}),
    "memex_tokenizer_free": FREE,
    "memex_tokenizer_name": getter(SET, NULL),
    "memex_tokenizer_count": Row(texts={"text": Text("hello", "bytes", optional=True)}),
    "memex_tokenizer_count_batch": Row(texts={"texts": Text("hello", "bytes", optional=True)}),
    "memex_tokenizer_count_messages": Row(
        texts={"request": Text('{"messages":[{"role":"user","content":"hello"}]}', "json")}
    ),
    "memex_tokenizer_encode": Row(texts={"text": Text("hello", "bytes", optional=True)}),
    "memex_tokenizer_decode": Row(),
    "memex_tokenizer_truncate": Row(
        texts={"text": Text("hello", "bytes", optional=True)},
        number=1,
        numbers={"0": OK, "-1": INVALID, VERY_NEGATIVE: INVALID, VERY_LARGE: OK},
    ),
    # Context
    "memex_strategy_open": Row(
        texts={"pipeline": Text('{"type":"fifo","last":2}', "json", optional=True)}
    ),
    "memex_strategy_free": FREE,
    "memex_context_build": Row(texts={"request": OPTIONS}, nullable=("strategy",)),
    "memex_context_build_messages": Row(
        texts={"messages": Text('[{"role":"user","content":"hello"}]', "json"), "request": OPTIONS},
        nullable=("strategy",),
    ),
    # Extending
    "memex_reply_data": Row(
        texts={"data": Text("{}", "bytes", optional=True)},
        forked=(FORKED, HANDLE),
        context="strategy",
    ),
    "memex_reply_entry": Row(
        texts={
            "key": Text("k", "bytes", missing=(OK, INVALID)),
            "value": Text("v", "bytes", optional=True),
        },
        forked=(FORKED, HANDLE),
        strategy=(OK, INVALID, HANDLE),
        context="backend",
    ),
    "memex_reply_failure": Row(
        texts={"message": Text("no", "bytes", optional=True)},
        forked=(FORKED, HANDLE),
        context="strategy",
    ),
    "memex_register_backend": Row(texts={"name": Text("misuse-new", "id")}),
    "memex_backend_check": Row(texts={"config": CONFIG}),
    "memex_register_strategy": Row(texts={"name": Text("misuse-new", "id")}),
    "memex_register_tokenizer": Row(texts={"name": Text("misuse-new", "id")}),
    "memex_unregister": Row(
        texts={"kind": Text("strategy", "word"), "name": Text("misuse-registered", "word")}
    ),
}
