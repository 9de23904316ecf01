"""What of an answer is stored: its body, whether it is whole, and where it comes from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ..errors import LimitError, MemexError
from ._messages import body_of, calls_of, plain, storable

if TYPE_CHECKING:
    from ..thread import Thread
    from ._deltas import Completion

_ENDED = ("stop", "tool_calls", "function_call")
_CUT = ("length", "content_filter")
_CALLS = ("tool_calls", "function_call")


def keep(thread: Thread, completion: Any) -> None:
    """Stores the first choice of a completion, the others in its provenance.

    What the SDK gives for a reply that is no completion (text, a list, None) is no answer.
    """
    document = plain(completion)
    if not isinstance(document, dict):
        return
    choices = document.pop("choices", None)
    found = [
        (body_of(choice["message"]), choice.get("finish_reason"))
        for choice in (choices if isinstance(choices, list) else ())
        if isinstance(choice, dict) and isinstance(choice.get("message"), dict)
        if choice["message"]
    ]
    facts = {name: document[name] for name in document if name not in ("object", "created")}
    _append(thread, found, facts, completion)


def keep_stream(thread: Thread, completion: Completion) -> None:
    """Stores what a stream brought; as incomplete when it ended before the model had."""
    choices = [choice for _, choice in sorted(completion.choices.items())]
    found = [(body_of(choice.body()), choice.finish_reason) for choice in choices]
    _append(thread, found, completion.facts, None)


def _append(
    thread: Thread, found: list[tuple[dict[str, Any], Any]], facts: dict[str, Any], completion: Any
) -> None:
    if not found:
        return
    body, reason = found[0]
    body = {**body, "role": body.get("role") or "assistant"}
    provenance: dict[str, Any] = {"source": "openai", **facts}
    if reason is not None:
        provenance["finish_reason"] = reason
    cut = completion is None and reason is None
    if cut or _has_half_call(body, reason):
        cut = True
        half = {name: body.pop(name) for name in _CALLS if body.get(name)}
        if half:
            provenance["cut_off"] = half
        if body.get("content") is None:
            body["content"] = ""
    if len(found) > 1:
        provenance["other_choices"] = [
            {"message": other, "finish_reason": why} for other, why in found[1:]
        ]
    # A pair of surrogates that was split over two pieces is one character again.
    body = storable(body, "surrogatepass")
    sound = storable(body, "replace")
    if sound != body:
        provenance["original"] = json.dumps(body)
    state: Any = "incomplete" if cut else "complete"
    try:
        _store(thread, sound, storable(provenance, "replace"), state)
    except MemexError as error:
        # The answer was paid for: it goes to the caller with the error.
        error.details["completion"] = completion or [other for other, _ in found]
        raise


def _store(thread: Thread, body: dict[str, Any], provenance: dict[str, Any], state: Any) -> None:
    try:
        thread.append(body, provenance=provenance, state=state)
    except LimitError as error:
        if not str(error.details.get("path")).startswith("/provenance"):
            raise
        thread.append(body, provenance=_shortened(provenance), state=state)


def _shortened(provenance: dict[str, Any]) -> dict[str, Any]:
    """The main facts of a provenance: long texts are cut, other long values are left out."""
    few: dict[str, Any] = {"shortened": True}
    for name in ("source", "id", "model", "usage", "finish_reason"):
        value = provenance.get(name)
        if isinstance(value, str):
            few[name] = value[:1_000]
        elif value is not None and _is_brief(value):
            few[name] = value
    return few


def _is_brief(value: Any) -> bool:
    try:
        text = json.dumps(value)
    except RecursionError:
        return False
    # More brackets than this may be more levels than JSON in a store may have.
    return len(text) <= 10_000 and text.count("{") + text.count("[") <= 100


def _has_half_call(body: dict[str, Any], reason: Any) -> bool:
    """Whether a call is not written to its end, or may be."""
    ended = reason in _ENDED
    entries = calls_of(body)
    functions = [call.get("function") for call in entries] + [body.get("function_call")]
    for function in functions:
        if isinstance(function, dict) and _is_half(function.get("arguments"), ended):
            return True
    # The input of a custom tool is any text: nothing in it says whether it is whole.
    return reason in _CUT and any(call.get("type") == "custom" for call in entries)


def _is_half(arguments: Any, ended: bool) -> bool:
    """Whether arguments are a part of JSON; when the model ended by itself, its beginning.

    Not all servers own up to "length". What is wrong in its middle is the model's mistake, for
    its caller to answer; so are no arguments at all.
    """
    try:
        json.loads(arguments)
    except json.JSONDecodeError as error:
        early = error.msg.startswith("Unterminated") or error.pos >= len(arguments)
        return not ended or (early and bool(arguments))
    except (TypeError, RecursionError):
        return not ended
    return False
