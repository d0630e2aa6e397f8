"""A web server of one test: objects with ranges and tags, and answers made to order."""

import hashlib
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

from typing_extensions import override


@dataclass(frozen=True)
class Asked:
    """What a client asked, word for word."""

    method: str
    path: str
    headers: Mapping[str, str]


class Exchange(BaseHTTPRequestHandler):
    """One request, and the means to answer it well or badly."""

    protocol_version = "HTTP/1.1"
    site: "Site"

    def do_GET(self) -> None:
        self.site.asked.append(
            Asked(
                self.command,
                self.path,
                {name.lower(): value for name, value in self.headers.items()},
            )
        )
        answer = self.site.answers.get(self.path)
        if answer is not None:
            answer(self)
        elif self.path in self.site.objects:
            self.serve(self.site.objects[self.path])
        else:
            self.say(404)

    do_HEAD = do_GET

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass

    @property
    def is_head(self) -> bool:
        return self.command == "HEAD"

    def say(self, status: int, body: bytes = b"", /, **headers: str) -> None:
        """Answer in full; names of headers are given with _ for -."""
        self.start(status, content_length=str(len(body)), **headers)
        self.send(body)

    def start(self, status: int, /, **headers: str) -> None:
        """Answer with headers alone, and no length that is not among them."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def send(self, data: bytes) -> None:
        if not self.is_head:
            self.wfile.write(data)

    def hang_up(self) -> None:
        self.close_connection = True

    def serve(
        self,
        data: bytes,
        *,
        tag: str | None = None,
        ranges: bool = True,
        cut: int | None = None,
    ) -> None:
        """Answer with bytes as a good server does, but for a ``cut`` after some of them."""
        tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"' if tag is None else tag
        tags = {"etag": tag} if tag else {}
        start = self._start_of_range(tag) if ranges else None
        if start is None:
            self.start(200, content_length=str(len(data)), **tags)
            part = data
        elif start[0] >= len(data):
            self.say(416, content_range=f"bytes */{len(data)}", **tags)
            return
        else:
            part = data[start[0] : start[1]]
            where = f"bytes {start[0]}-{start[0] + len(part) - 1}/{len(data)}"
            self.start(206, content_range=where, content_length=str(len(part)), **tags)
        self.send(part[:cut])
        if cut is not None:
            self.hang_up()

    def _start_of_range(self, tag: str) -> tuple[int, int | None] | None:
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("range", ""))
        if wanted is None or self.is_head or self.headers.get("if-range", tag) != tag:
            return None
        return int(wanted[1]), int(wanted[2]) + 1 if wanted[2] else None


Answer = Callable[[Exchange], None]


class Site:
    """What the server holds. Paths are as they go over the wire, percent-encoded."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.objects: dict[str, bytes] = {}
        self.answers: dict[str, Answer] = {}
        self.asked: list[Asked] = []
        #: Set when the test is over: what an answer may wait for that is never to come.
        self.over = threading.Event()

    def url(self, name: str) -> str:
        """Return the URL of a plain name."""
        return f"{self.base}/{quote(name)}"

    def plant(self, name: str, data: bytes) -> str:
        self.objects["/" + quote(name)] = data
        return self.url(name)

    def answer(self, path: str, *answers: Answer) -> str:
        """Answer with each of ``answers`` in turn, with the last one ever after."""
        left = list(answers)

        def next_one(exchange: Exchange) -> None:
            (left.pop(0) if len(left) > 1 else left[0])(exchange)

        self.answers[path] = next_one
        return self.base + path


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    @override
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients hang up on purpose here."""


@contextmanager
def serving(*, tls: ssl.SSLContext | None = None) -> Iterator[Site]:
    """Run a server on loopback while the block runs."""
    server = _Server(("127.0.0.1", 0), Exchange)
    if tls is not None:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    scheme = "http" if tls is None else "https"
    site = Site(f"{scheme}://127.0.0.1:{server.server_address[1]}")
    server.RequestHandlerClass = type("_Exchange", (Exchange,), {"site": site})
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield site
    finally:
        site.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
