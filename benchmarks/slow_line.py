"""A line to a server that carries so many bytes a second, for all connections together."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

_PIECE = 64 << 10


class Line:
    """Lets so many bytes a second pass, first come, first served, and counts them."""

    def __init__(self, rate: float) -> None:
        self.carried = 0
        self._rate = rate
        self._lock = threading.Lock()
        self._free_at = 0.0

    def take(self, count: int) -> None:
        """Return when so many bytes may pass."""
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + count / self._rate
            wait = self._free_at - now
            self.carried += count
        time.sleep(max(0.0, wait))


@contextmanager
def slow_line(endpoint: str, rate: float) -> Iterator[tuple[str, Line]]:
    """Give another endpoint, by which the same server is reached; uploads are held back."""
    host, port = urlsplit(endpoint).hostname, urlsplit(endpoint).port
    pace = Line(rate)
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(
            target=_accept, args=(server, (host, port), pace), daemon=True
        ).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", pace
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)


def _accept(server: socket.socket, behind: tuple[str, int], pace: Line) -> None:
    with suppress(OSError):
        while True:
            near, _ = server.accept()
            far = socket.create_connection(behind)
            for one, other, held in ((near, far, pace), (far, near, None)):
                threading.Thread(
                    target=_carry, args=(one, other, held), daemon=True
                ).start()


def _carry(one: socket.socket, other: socket.socket, pace: Line | None) -> None:
    with suppress(OSError):
        while data := one.recv(_PIECE):
            if pace is not None:
                pace.take(len(data))
            other.sendall(data)
    for each in (one, other):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
