"""The HTTP under the server: one thread a connection, connections kept open."""

import socket
import socketserver
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from typing_extensions import override

from media_nommer.testing.simpledb import answers
from media_nommer.testing.simpledb.errors import SimpleDbError


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to a client."""

    status: int
    body: bytes


#: Answers the parameters of a call; None drops the connection instead.
Answerer: TypeAlias = Callable[[Mapping[str, str]], Reply | None]


class Web(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Hands the parameters of GET and POST requests to ``answerer``."""

    allow_reuse_address = True
    daemon_threads = False  # so that closing waits for them
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], answerer: Answerer, most_bytes: int
    ) -> None:
        self.answerer = answerer
        self.most_bytes = most_bytes
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(address, _Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.socket.getsockname()[:2]
        return f"http://{host}:{port}"

    def serve(self) -> None:
        """Serve until closed."""
        self.serve_forever(poll_interval=0.05)

    def close(self) -> None:
        """Stop listening and end every connection."""
        self.shutdown()
        with self._connections_lock:
            for connection in self._connections:
                _hang_up(connection)
        self.server_close()

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    @override
    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Web

    def do_GET(self) -> None:
        self._serve(urlsplit(self.path).query.encode("latin-1"))

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if length > self.server.most_bytes:
            self._refuse("InvalidHttpRequest", "The request is larger than 1 MB")
        else:
            self._serve(body)

    def do_PUT(self) -> None:
        self.close_connection = True
        self._refuse("UnsupportedHttpVerb", "Only GET and POST are known")

    do_DELETE = do_HEAD = do_PUT

    @override
    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # the client left in the middle: nothing to answer
            self.close_connection = True

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a test's output is its own."""

    def _serve(self, query: bytes) -> None:
        try:
            pairs = parse_qsl(query.decode(), keep_blank_values=True, errors="strict")
        except UnicodeDecodeError:
            self._refuse("InvalidParameterValue", "Parameters that are not UTF-8")
            return
        reply = self.server.answerer(dict(pairs))
        if reply is None:
            self.close_connection = True
            _hang_up(self.connection)
        else:
            self._send(reply)

    def _refuse(self, code: str, message: str) -> None:
        error = SimpleDbError(code, message)
        self._send(Reply(error.status, answers.refusal(error, "-", 0.0)))

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", "text/xml;charset=utf-8")
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # the other side was first
        return
