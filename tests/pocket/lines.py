"""Lines from the network of a machine to services outside, piece by piece as it comes."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

_PIECE = 64 * 1024


class Line:
    """Passes on what comes in at ``listener`` to who is dialed for it, until closed.

    The listener stays its owner's. Where dialing fails, who came is sent away.
    """

    def __init__(self, listener: socket.socket, dial: Callable[[], socket.socket]) -> None:
        self._listener = listener
        self._dial = dial
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """End every connection, and take no more."""
        with self._lock:
            self._closed = True
            for each in self._open:
                _hang_up(each)
        _hang_up(self._listener)

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # it was closed
            threading.Thread(target=self._connect, args=(near,), daemon=True).start()

    def _connect(self, near: socket.socket) -> None:
        with near:
            try:
                far = self._dial()
            except OSError:
                return  # the service is away: so it looks from inside, too
            with far, self._known(near), self._known(far):
                back = threading.Thread(target=_pass, args=(far, near), daemon=True)
                back.start()
                _pass(near, far)
                back.join()

    @contextlib.contextmanager
    def _known(self, each: socket.socket) -> Iterator[None]:
        with self._lock:
            if self._closed:
                _hang_up(each)
            self._open.add(each)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(each)


def _pass(source: socket.socket, sink: socket.socket) -> None:
    """Pass on what comes until it ends, and then that it has."""
    with contextlib.suppress(OSError):  # one side was killed
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _hang_up(each: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side was first
        each.shutdown(socket.SHUT_RDWR)
