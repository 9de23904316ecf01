"""A server on this machine that speaks the documented format of OpenAI's chat completions.

It answers from a script: each request takes the next reply. What was asked is kept.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast


@dataclass
class Reply:
    """One answer of the server.

    Attributes:
        status: Of HTTP.
        document: The JSON, for an answer that is no stream.
        chunks: The pieces of a stream.
        cut: Whether the connection breaks after the last piece.
        headers: More headers.
        raw: A body as it is, of some content type, instead of a document.
    """

    status: int = 200
    document: Any = None
    chunks: list[Any] | None = None
    cut: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    raw: tuple[str, bytes] | None = None


def completion(*messages: dict[str, Any], finish_reason: str | None = "stop") -> Reply:
    """A completion with one choice for each message."""
    return Reply(
        document={
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1700000000,
            "model": "gpt-test-2025",
            "choices": [
                {
                    "index": index,
                    "message": {"role": "assistant", "refusal": None, "annotations": [], **message},
                    "finish_reason": finish_reason,
                    "logprobs": None,
                }
                for index, message in enumerate(messages)
            ],
            "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
        }
    )


def text(content: str) -> Reply:
    """A completion that is plain text."""
    return completion({"content": content})


def error(status: int, code: str = "bad", **headers: str) -> Reply:
    """An error, as the API answers it."""
    problem = {"message": f"{code} happened", "type": code, "param": None, "code": code}
    return Reply(status=status, document={"error": problem}, headers=headers)


def chunk(
    delta: dict[str, Any], finish_reason: str | None = None, index: int = 0
) -> dict[str, Any]:
    """A piece of a stream."""
    return {
        "id": "chatcmpl-2",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "gpt-test-2025",
        "choices": [
            {"index": index, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        ],
    }


def stream(*words: str, cut: bool = False) -> Reply:
    """A stream of text; one that is cut has no end."""
    chunks = [chunk({"role": "assistant", "content": "", "refusal": None})]
    chunks += [chunk({"content": word}) for word in words]
    return Reply(chunks=chunks if cut else [*chunks, chunk({}, "stop")], cut=cut)


class Server:
    """The server.

    Attributes:
        url: Where it listens.
        script: The replies to come.
        requests: What was asked, the JSON of each request.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.script: list[Reply] = []
        self.requests: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def say(self, *replies: Reply) -> None:
        """Adds replies to the script."""
        self.script.extend(replies)

    def answer(self, request: dict[str, Any]) -> Reply:
        """Keeps a request and takes the next reply."""
        with self._lock:
            self.requests.append(request)
            return self.script.pop(0) if self.script else error(500, "script_is_empty")

    @property
    def seen(self) -> list[dict[str, Any]]:
        """The messages of the last request."""
        return list(self.requests[-1]["messages"])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:  # pylint: disable=invalid-name
        """Answers a request from the script."""
        length = int(self.headers["Content-Length"])
        request = json.loads(self.rfile.read(length))
        reply = cast(_HTTPServer, self.server).state.answer(request)
        if not self.path.split("?")[0].endswith("/chat/completions"):
            reply = error(404, "no_such_path")
        if reply.chunks is None:
            self._document(reply)
        else:
            self._stream(reply)

    def _document(self, reply: Reply) -> None:
        kind, data = reply.raw or ("application/json", json.dumps(reply.document).encode())
        self.send_response(reply.status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in reply.headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, reply: Reply) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in reply.chunks or []:
            self._piece(f"data: {json.dumps(piece)}\n\n".encode())
        if reply.cut:
            # In the middle of a chunk, as a broken connection does it.
            self.wfile.write(b"ff\r\ndata: {")
            self.close_connection = True
            return
        self._piece(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def _piece(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # pylint: disable=redefined-builtin
        """Says nothing."""


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away half-way is part of the tests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state = Server(f"http://127.0.0.1:{self.server_port}/v1")


@contextmanager
def serve() -> Iterator[Server]:
    """A server for the length of a block."""
    server = _HTTPServer()
    worker = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    worker.start()
    try:
        yield server.state
    finally:
        server.shutdown()
        server.server_close()
        worker.join()
