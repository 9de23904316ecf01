"""What providers billed for recorded requests, from the traffic in ../shared/data.

    python3 Benchmarks/recorded_usage.py > pairs.jsonl

With --openai only what OpenAI billed for text: model, tokens and request, tabs between.
Each line is an exchange: where it is from, the provider, the dialect, the model, the request and
the input tokens of its usage. Exchanges without a usage, and what is no chat, are left out.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
ARCHIVES = [
    *(
        "wire-langchain-openai",
        "wire-llm-openai",
        "wire-openllmetry",
        "wire-pydantic-ai",
        "wire-rig",
    ),
    *("wire-langchain-anthropic", "wire-llm-anthropic", "wire-llm-gemini"),
]
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_HOSTS = [
    ("openrouter.ai", "openrouter"),
    ("openai.azure.com", "azure"),
    ("api.openai.com", "openai"),
    ("api.groq.com", "groq"),
    ("api.anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "gemini"),
    ("aiplatform.googleapis.com", "vertex"),
    ("amazonaws.com", "bedrock"),
]

Exchange = dict[str, Any]


def text_of(body: Any) -> str:
    """A recorded body as text; archives hold strings, bytes, and bytes that are compressed."""
    if isinstance(body, dict):
        body = body.get("string", body.get("base64_string", ""))
    if isinstance(body, str) and body.startswith("H4sI"):
        body = base64.b64decode(body)
    if isinstance(body, bytes):
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        return body.decode("utf-8", "replace")
    return body or ""


def parsed(side: dict[str, Any]) -> Any:
    """The JSON of a recorded side, events for a stream, None for what is neither."""
    if "parsed_body" in side:
        return side["parsed_body"]
    text = text_of(side.get("body"))
    try:
        return json.loads(text)
    except ValueError:
        pass
    events = []
    for line in re.findall(r"^data: ?(.*)$", text, re.MULTILINE):
        try:
            events.append(json.loads(line))
        except ValueError:
            continue
    return events or None


def exchanges(name: str, text: bytes) -> Iterator[tuple[str, Any, Any]]:
    """Address, request and response of each exchange of a file."""
    for document in yaml.load_all(text, Loader=_LOADER):  # nosec B506
        if not isinstance(document, dict):
            continue
        if "when" in document:
            then = dict(document.get("then") or {})
            provider = name.split("/cassettes/")[1].split("/")[0]
            if then.get("body_encoding") == "base64":
                then["body"] = base64.b64decode(then.get("body") or "")
            path = document["when"].get("path", "")
            yield f"{provider}:{path}", parsed(document["when"]), parsed(then)
        elif "interactions" in document:
            for item in document["interactions"]:
                yield item["request"].get("uri", ""), parsed(item["request"]), parsed(
                    item["response"]
                )
        elif "requests" in document:
            for request, response in zip(document["requests"], document["responses"], strict=False):
                provider = "anthropic" if "anthropic" in name else "openai"
                yield f"{provider}:", parsed(request), parsed(response)


def provider_of(address: str) -> str:
    """Who billed."""
    if re.match(r"[a-z]+:(?!//)", address):
        return address.split(":")[0]
    for host, provider in _HOSTS:
        if host in address:
            return provider
    return address.split("/")[2] if address.count("/") > 2 else "unknown"


def dialect_of(request: Any) -> str | None:
    """The format that a request is in."""
    if not isinstance(request, dict):
        return None
    if isinstance(request.get("contents"), list):
        return "gemini"
    if not isinstance(request.get("messages"), list):
        return None
    return "messages"


def usage_of(response: Any) -> dict[str, Any] | None:
    """The usage of a response; that of a stream is spread over its events."""
    found: dict[str, Any] = {}
    for event in response if isinstance(response, list) else [response]:
        if not isinstance(event, dict):
            continue
        message = event.get("message")
        for place in (event, message if isinstance(message, dict) else {}):
            usage = place.get("usage") or place.get("usageMetadata")
            if isinstance(usage, dict):
                found.update({key: value for key, value in usage.items() if value is not None})
    return found or None


def model_of(request: Any, response: Any, address: str) -> str:
    """The model that answered, else the one that was asked for."""
    for event in response if isinstance(response, list) else [response]:
        if isinstance(event, dict):
            message = event.get("message")
            inner = message.get("model") if isinstance(message, dict) else None
            found = event.get("model") or event.get("modelVersion") or inner
            if isinstance(found, str) and found:
                return found
    if isinstance(request.get("model"), str):
        return str(request["model"])
    match = re.search(r"models?/([^/:?]+)", address)
    return match[1] if match else ""


def billed(dialect: str, usage: dict[str, Any]) -> tuple[str, int] | None:
    """The dialect and the input tokens of a usage, what was read from a cache included."""
    if dialect == "gemini":
        count = usage.get("promptTokenCount")
        return ("gemini", count) if isinstance(count, int) else None
    if isinstance(usage.get("prompt_tokens"), int):
        return "openai", usage["prompt_tokens"]
    if isinstance(usage.get("input_tokens"), int):
        caches = ("cache_read_input_tokens", "cache_creation_input_tokens")
        cached = [usage.get(key) for key in caches]
        return "anthropic", usage["input_tokens"] + sum(n for n in cached if isinstance(n, int))
    return None


def read(archive: str) -> Iterator[Exchange]:
    """The exchanges of an archive."""
    with tarfile.open(DATA / f"{archive}.tar.xz") as files:
        for member in files:
            if not member.name.endswith((".yaml", ".yml")):
                continue
            stream = files.extractfile(member)
            content = stream.read() if stream else b""
            for number, (address, request, response) in enumerate(exchanges(member.name, content)):
                dialect = dialect_of(request)
                usage = usage_of(response)
                if dialect is None or usage is None:
                    continue
                count = billed(dialect, usage)
                if count is None or count[1] <= 0:
                    continue
                body = json.dumps(request, ensure_ascii=False)
                yield {
                    "source": f"{member.name}#{number}",
                    "provider": provider_of(address),
                    "dialect": count[0],
                    "model": model_of(request, response, address),
                    "kept": int(hashlib.sha256(body.encode()).hexdigest(), 16) % 3 == 0,
                    "billed": count[1],
                    "usage": usage,
                    "request": request,
                }


def unique() -> Iterator[Exchange]:
    """All exchanges, each request once."""
    seen = set()
    for archive in ARCHIVES:
        for exchange in read(archive):
            key = json.dumps(
                [exchange[name] for name in ("provider", "model", "request", "billed")]
            )
            if key not in seen:
                seen.add(key)
                yield exchange


def is_openai(exchange: Exchange) -> bool:
    """Whether OpenAI itself answered, with a model of its own."""
    names = ("gpt-", "chatgpt-", "o1", "o3", "o4")
    return exchange["provider"] == "openai" and exchange["model"].startswith(names)


def parts(value: Any) -> Iterable[str]:
    """The types of all parts in messages."""
    if isinstance(value, dict):
        if isinstance(value.get("type"), str):
            yield value["type"]
        for key in ("inlineData", "inline_data", "fileData", "file_data"):
            if key in value:
                yield key
        for inner in value.values():
            yield from parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from parts(inner)


_MEDIA = {"image_url", "file", "input_audio", "image", "document", "inlineData", "inline_data"}
_MEDIA |= {"fileData", "file_data", "video_url"}


def has_server_tools(request: Exchange) -> bool:
    """Whether the provider adds text of its own, such as what a search found."""
    tools = request.get("tools") or []
    if "web_search_options" in request or "mcp_servers" in request or "container" in request:
        return True
    for tool in tools if isinstance(tools, list) else []:
        if "function" in tool or "functionDeclarations" in tool or "function_declarations" in tool:
            continue
        if "input_schema" in tool and tool.get("type", "custom") == "custom":
            continue
        return True
    return False


def feature(exchange: Exchange) -> str:
    """The row of the table."""
    request = exchange["request"]
    messages = request.get("messages") or request.get("contents")
    if _MEDIA.intersection(parts(messages)):
        return "images, audio, files"
    if has_server_tools(request) or "search-preview" in exchange["model"]:
        return "server tools"
    if {"output_config", "context_management", "cachedContent"}.intersection(request):
        return "server tools"
    if exchange["dialect"] == "openai":
        if exchange["model"].startswith(("gpt-5", "o1", "o3", "o4")):
            return "reasoning models"
        if (request.get("response_format") or {}).get("type") == "json_schema":
            return "response format"
        calls = [len(message.get("tool_calls") or []) for message in messages]
        if max(calls, default=0) > 1:
            return "parallel calls"
    if request.get("tools") or request.get("functions"):
        return "tools"
    return "plain"


def is_judged(exchange: Exchange) -> bool:
    """Whether all that was billed stands in the request."""
    return feature(exchange) not in ("images, audio, files", "server tools")


def main() -> int:
    """Writes the exchanges as lines of JSON."""
    if not DATA.exists():
        print(f"{DATA} is absent", file=sys.stderr)
        return 1
    for exchange in unique():
        if "--openai" not in sys.argv:
            print(json.dumps(exchange, ensure_ascii=False))
        elif is_openai(exchange) and is_judged(exchange):
            request = json.dumps(exchange["request"], ensure_ascii=False)
            print(exchange["model"], exchange["billed"], request, sep="\t")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
