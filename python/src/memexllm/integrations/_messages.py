"""Messages of the OpenAI SDK as they are stored, compared and sent again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import InvalidError

# What a reply has and a request does not take back.
_REPLY_ONLY = ("annotations", "parsed")


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
    for call in calls_of(body):
        if isinstance(call.get("function"), dict):
            call["function"].pop("parsed_arguments", None)
    return body


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
    return sent


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two messages say the same to the model."""
    return _said(one) == _said(other)


def _said(message: Mapping[str, Any]) -> dict[str, Any]:
    sent = sendable(body_of(dict(message)))
    return {name: value for name, value in sent.items() if value is not None}
