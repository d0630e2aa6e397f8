"""A gate before a service, at which one request can be held back and let through later.

So a test may stop a worker between the moment it sends something and the moment it arrives,
which by chance alone would hardly ever be met.
"""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

#: How long a request is held at most, in seconds, and how long a test waits for one.
PATIENCE = 60

#: Headers that belong to one connection and are not passed on.
_OWN = {"connection", "expect", "keep-alive", "transfer-encoding", "content-length"}


class Gate:
    """Passes all requests on, but holds the ``number``-th one that writes to a bucket."""

    def __init__(self, behind: str) -> None:
        self.behind = behind.removeprefix("http://")
        self.url = ""
        self._lock = threading.Lock()
        self._bucket = ""
        self._countdown = 0
        self._held = threading.Event()
        self._open = threading.Event()

    def hold(self, bucket: str, number: int) -> None:
        """Hold the ``number``-th write to ``bucket`` from now on."""
        with self._lock:
            self._bucket, self._countdown = bucket, number
            self._held.clear()
            self._open.clear()

    def wait(self) -> None:
        """Wait until that request is here."""
        assert self._held.wait(PATIENCE), "no such request came to the gate"

    def release(self) -> None:
        """Let it through."""
        self._open.set()

    def passing(self, method: str, path: str) -> None:
        """Return when a request may pass."""
        with self._lock:
            if method != "PUT" or not path.startswith(f"/{self._bucket}/"):
                return
            self._countdown -= 1
            if self._countdown != 0:
                return
        self._held.set()
        self._open.wait(PATIENCE)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gate: Gate

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.gate.passing(self.command, self.path)
        sent = {k: v for k, v in self.headers.items() if k.lower() not in _OWN}
        behind = http.client.HTTPConnection(self.gate.behind)
        try:
            behind.request(self.command, self.path, body=body or None, headers=sent)
            answer = behind.getresponse()
            content = answer.read()
        finally:
            behind.close()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in _OWN:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: who asked was killed."""


@contextmanager
def gate(behind: str) -> Iterator[Gate]:
    """Run a gate before the service at the URL ``behind``."""
    made = Gate(behind)
    handler = type("Handler", (_Handler,), {"gate": made})
    with _Server(("127.0.0.1", 0), handler) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield made
        finally:
            made.release()
            server.shutdown()
            thread.join()


__all__ = ["Gate", "gate"]
