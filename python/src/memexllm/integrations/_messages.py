"""Messages of the OpenAI SDK as they are stored, compared and sent again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

from ..errors import InvalidError

# What a reply, or what the SDK makes of a stream, has and a request does not take back.
_REPLY_ONLY = ("annotations", "parsed")
_CALL_REPLY_ONLY = ("index", "parsed_arguments")


def plain(value: Any) -> Any:
    """A value of the SDK's as JSON: dicts as they are, objects without what is None or not set."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json", exclude_unset=True, exclude_none=True, warnings=False)
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    if hasattr(value, "__iter__") and not isinstance(value, (str, bytes)):
        return [plain(entry) for entry in value]
    return value


def body_of(message: Any) -> dict[str, Any]:
    """A message as it is stored: ready to be sent again."""
    body: dict[str, Any] = plain(message)
    for name in _REPLY_ONLY:
        if not body.get(name) or name == "parsed":
            body.pop(name, None)
    if calls_of(body):
        body["tool_calls"] = [_sendable_call(call) for call in body["tool_calls"]]
    for call in calls_of(body):
        if isinstance(call.get("function"), dict) and not call.get("type"):
            # Left out by some servers, and wanted back by the API.
            call["type"] = "function"
    return body


def _sendable_call(call: Any) -> Any:
    if not isinstance(call, dict):
        return call
    return {
        name: _sendable_call(entry) if name in ("function", "custom") else entry
        for name, entry in call.items()
        if name not in _CALL_REPLY_ONLY
    }


def calls_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The tool calls of a message."""
    calls = body.get("tool_calls")
    return [call for call in (calls if isinstance(calls, list) else ()) if isinstance(call, dict)]


def bodies_of(messages: Any) -> list[dict[str, Any]]:
    """The messages of a call.

    Raises:
        InvalidError: They are no list of messages.
    """
    if isinstance(messages, (str, bytes, Mapping)) or not isinstance(messages, Iterable):
        raise InvalidError('messages must be a list: [{"role": "user", "content": "Hello"}]')
    given = []
    for index, message in enumerate(messages):
        if not isinstance(message, dict) and not hasattr(message, "model_dump"):
            raise InvalidError(
                f"messages[{index}] must be a dict or a message of the SDK",
                details={"messages": [index]},
            )
        given.append(body_of(message))
    return given


def sendable(body: dict[str, Any]) -> dict[str, Any]:
    """A stored message as a request takes it."""
    if body.get("role") != "assistant":
        return body
    audio = body.get("audio")
    sent = {name: value for name, value in body.items() if name not in _REPLY_ONLY}
    if isinstance(audio, dict) and "id" in audio:
        sent["audio"] = {"id": audio["id"]}
    if calls_of(body):
        sent["tool_calls"] = [_sendable_call(call) for call in body["tool_calls"]]
    return sent


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two messages say the same to the model."""
    return _said(one) == _said(other)


def _said(message: Mapping[str, Any]) -> dict[str, Any]:
    sent = sendable(body_of({**message, "role": message.get("role") or "assistant"}))
    silent: tuple[object, ...] = (None, "", []) if sent["role"] == "assistant" else (None,)
    said = {name: value for name, value in sent.items() if value not in silent}
    found: dict[str, Any] = storable(said, "replace")
    return found


def storable(value: Any, errors: str) -> Any:
    """A value as the library takes it: no lone surrogates ("replace"), no NaN."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", errors)
        return value
    if isinstance(value, dict):
        return {storable(name, errors): storable(entry, errors) for name, entry in value.items()}
    if isinstance(value, list):
        return [storable(entry, errors) for entry in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value
