"""Gates at which one write of a worker is held back, and let through later.

One is before a service, the other before a folder. So a test may stop a worker between the
moment it sends something and the moment it arrives, which by chance alone would hardly ever
be met.
"""

import http.client
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from typing_extensions import override

#: How long a request is held at most, in seconds, and how long a test waits for one.
HELD_FOR, PATIENCE = 600, 120

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
        self._open.wait(HELD_FOR)


#: What a worker with such a gate runs before all else: before it makes a file in a folder
#: under a passing name, as it does with each file that it puts there, this is told of it.
_AT_THE_FOLDER = """\
import os, sys, threading, time
folder, number, held, opened = {folder!r}, {number!r}, {held!r}, {opened!r}
count, lock = 0, threading.Lock()


def look(event, said):
    global count
    if event == "open":
        name, made = said[0], (said[2] or 0) & os.O_CREAT
    elif event == "os.link":
        name, made = said[1], True
    else:
        return
    if not made or isinstance(name, int):
        return
    path = os.path.abspath(os.fsdecode(name))
    if not path.startswith(folder + os.sep) or not path.endswith(".part"):
        return
    with lock:
        count += 1
        mine = count == number
    if mine:
        os.mkdir(held)
        while not os.path.exists(opened):
            time.sleep(0.02)


sys.addaudithook(look)
"""


class FileGate:
    """Holds back the ``number``-th file that a worker puts to a folder.

    The worker is to be started with ``environment``, after ``hold``.
    """

    def __init__(self, place: Path, folder: str) -> None:
        self._place = place / "gate"
        self._folder = folder.removeprefix("file://")
        self._held, self._opened = self._place / "held", self._place / "open"

    @property
    def environment(self) -> Mapping[str, str]:
        """What has a program of Python stand before the gate."""
        known = os.environ.get("PYTHONPATH", "")
        return {"PYTHONPATH": os.pathsep.join(filter(None, (str(self._place), known)))}

    def hold(self, number: int) -> None:
        """Hold the ``number``-th write of each worker that is started with this gate."""
        self._place.mkdir()
        text = _AT_THE_FOLDER.format(
            folder=self._folder,
            number=number,
            held=str(self._held),
            opened=str(self._opened),
        )
        (self._place / "sitecustomize.py").write_text(text)

    def wait(self) -> None:
        """Wait until that write is about to be."""
        until = time.monotonic() + PATIENCE
        while not self._held.exists():
            assert time.monotonic() < until, "no such write came to the gate"
            time.sleep(0.05)

    def release(self) -> None:
        """Let it through."""
        self._opened.touch()


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


__all__ = ["FileGate", "Gate", "gate"]
