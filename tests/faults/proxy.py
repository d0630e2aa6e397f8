"""An HTTP proxy before Amazon's services: it counts every call, and does harm if asked.

``Proxy({"aws": "http://127.0.0.1:5005"})`` listens on a port of its own for each upstream,
and passes on what comes, whole and as it is, a piece at a time; ``urls`` says where. Names
that differ after a space are doors to the same: ``simpledb 1``, ``simpledb 2``. ``calls``
counts by service and operation (``dynamodb.UpdateItem``, ``s3.CopyObject``). ``faults`` is
asked at each call for what is to go wrong with it; without it nothing does.
"""

import http.client
import socket
import socketserver
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from typing_extensions import override

from tests.faults import refusals
from tests.faults.calls import Call, named
from tests.faults.refusals import Refusal
from tests.faults.seeded import Fault, Harm

#: Says what is to go wrong with a call, None for nothing.
Faults = Callable[[Call], Harm | None]

PIECE = 64 * 1024
#: Forms are read whole, since the operation is named in them.
_LONGEST_FORM = 4 << 20
#: What is about a connection and not about the request.
_BETWEEN_TWO = frozenset(
    {"connection", "expect", "keep-alive", "proxy-connection", "transfer-encoding"}
)
_PATIENCE = 60.0

_REFUSALS: Mapping[Fault, Callable[[Call], Refusal]] = {
    Fault.BROKEN: refusals.broken,
    Fault.BROKEN_AFTER: refusals.broken,
    Fault.AWAY: refusals.away,
    Fault.THROTTLED: refusals.throttled,
    Fault.GATEWAY: refusals.gateway,
    Fault.TOO_SKEWED: lambda _call: refusals.too_skewed(),
}


class Proxy:
    """Stands before ``upstreams``, by their names, from when it is made until closed.

    Any thread may read and set ``faults`` and read ``calls`` and ``harmed`` at any time.
    """

    def __init__(self, upstreams: Mapping[str, str], faults: Faults | None = None) -> None:
        self.faults = faults
        self.calls: Counter[str] = Counter()
        self.harmed: Counter[str] = Counter()
        #: The last calls that something went wrong with, for a person who must find out.
        self.last: deque[str] = deque(maxlen=200)
        #: How many calls nobody waits for any more that are yet to arrive.
        self.late = 0
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._numbers: Counter[str] = Counter()
        self._began = datetime.now(UTC)
        self._doors = {name: _Door(self, name, url) for name, url in upstreams.items()}
        self.urls: Mapping[str, str] = {n: door.url for n, door in self._doors.items()}

    def begin(self, faults: Faults | None) -> None:
        """Count from nothing again, under other faults."""
        with self._lock:
            self.faults, self._began = faults, datetime.now(UTC)
            for counts in (self.calls, self.harmed, self._numbers):
                counts.clear()
            self.last.clear()

    def met(self, door: str, service: str, operation: str) -> tuple[Call, Harm | None]:
        """Count a call, and say what goes wrong with it."""
        kind = f"{service}.{operation}"
        with self._lock:
            faults = self.faults
            self.calls[kind] += 1
            self._numbers[kind] += 1
            self._numbers[door] += 1
            call = Call(service, operation, self._numbers[kind], door, self._numbers[door])
        if faults is None:
            return call, None
        harm = faults(call)
        if harm is not None:
            self._note(call, harm)
        return call, harm

    def part(self, seconds: float) -> None:
        """Let nothing through for so long, where faults are asked for at all."""
        for door in self._doors.values():
            door.shut_for(seconds)
            door.hang_up()

    @contextmanager
    def waited_for_by_nobody(self) -> Iterator[None]:
        """Count a call as late until it has arrived."""
        with self._lock:
            self.late += 1
        try:
            yield
        finally:
            with self._lock:
                self.late -= 1

    def close(self) -> None:
        """End every connection, and listen no more."""
        self.closing.set()
        for door in self._doors.values():
            door.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _note(self, call: Call, harm: Harm) -> None:
        with self._lock:
            self.harmed[f"{call.kind} {harm.fault}"] += 1
            at = (datetime.now(UTC) - self._began).total_seconds()
            self.last.append(f"{at:7.2f} s {call.kind} #{call.number}: {harm.fault}")


class _Door(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Where clients of one upstream come in."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, proxy: Proxy, name: str, upstream: str) -> None:
        self.proxy, self.name = proxy, name
        #: What a call is for that does not say so itself.
        self.service = name.partition(" ")[0]
        self._shut_until = 0.0
        parts = urlsplit(upstream)
        assert parts.scheme == "http", "only plain services are stood before"
        assert parts.hostname is not None, "an upstream has a host"
        self._upstream = (parts.hostname, parts.port or 80)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", 0), _Handler)
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.05,), name=f"proxy-{name}", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        host, port = self.socket.getsockname()[:2]
        return f"http://{host}:{port}"

    @property
    def shut(self) -> bool:
        """Whether nothing gets through now."""
        return self.proxy.faults is not None and time.monotonic() < self._shut_until

    def shut_for(self, seconds: float) -> None:
        self._shut_until = time.monotonic() + seconds

    def connected(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self._upstream, timeout=_PATIENCE)

    def hang_up(self) -> None:
        with self._lock:
            for connection in self._open:
                _hang_up(connection)

    def close(self) -> None:
        self.shutdown()
        self.hang_up()
        self.server_close()
        self._thread.join()

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    @override
    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Door

    def do_POST(self) -> None:
        door = self.server
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._left = _Body(self.rfile, headers)
        form = b""
        if "x-www-form-urlencoded" in headers.get("content-type", ""):
            form = b"".join(self._left.pieces(_LONGEST_FORM))
        self._body: Callable[[], Iterator[bytes]] = lambda: iter((form,))
        if not form:
            self._body = self._left.pieces
        self._call, harm = door.proxy.met(
            door.name, *named(door.service, self.command, self.path, headers, form)
        )
        if door.shut:
            self._leave()
        elif harm is None:
            self._pass_on()
        else:
            self._do(harm)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST

    @override
    def handle(self) -> None:
        try:
            super().handle()
        except (OSError, http.client.HTTPException):
            self.close_connection = True  # somebody left in the middle: nobody to answer

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a test's output is its own."""

    def _do(self, harm: Harm) -> None:
        match harm.fault:
            case Fault.SLOW | Fault.VERY_SLOW:
                self._rest(harm.seconds / 2)
                self._pass_on(rest=harm.seconds / 2)
            case Fault.LOST:
                self._leave()
            case Fault.PARTED:
                self.server.shut_for(harm.seconds)
                self._leave()
            case Fault.SILENCE:
                self._rest(harm.seconds)
                self._leave()
            case Fault.UNANSWERED:
                self._ask_in_vain()
                self._leave()
            case Fault.LATE:
                with self._kept_body(), self.server.proxy.waited_for_by_nobody():
                    self._leave()
                    self._rest(harm.seconds)
                    self._ask_in_vain()
            case Fault.TWICE:
                with self._kept_body():
                    self._ask_in_vain()
                    self._pass_on()
            case Fault.CUT:
                self._pass_on(cut=True)
            case Fault.WRONG_CLOCK:
                self._pass_on(clock_off=timedelta(seconds=harm.seconds))
            case Fault.BROKEN_AFTER:
                self._ask_in_vain()
                self._refuse(refusals.broken(self._call))
            case _:
                self._left.drain()
                self._refuse(_REFUSALS[harm.fault](self._call))

    def _rest(self, seconds: float) -> None:
        self.server.proxy.closing.wait(seconds)

    def _leave(self) -> None:
        self.close_connection = True
        _hang_up(self.connection)

    @contextmanager
    def _kept_body(self) -> Iterator[None]:
        """Take the body in, so that it can be sent more than once."""
        with tempfile.SpooledTemporaryFile(1 << 20) as kept:
            for piece in self._body():
                kept.write(piece)

            def again() -> Iterator[bytes]:
                kept.seek(0)
                return iter(lambda: kept.read(PIECE), b"")

            self._body = again
            yield

    def _ask_in_vain(self) -> None:
        with self._asked() as answer:
            while answer.read(PIECE):
                pass

    @contextmanager
    def _asked(self) -> Iterator[http.client.HTTPResponse]:
        """Send the request on, and give the answer to it."""
        upstream = self.server.connected()
        try:
            upstream.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                if name.lower() not in _BETWEEN_TWO:
                    upstream.putheader(name, value)
            if self._left.chunked:
                upstream.putheader("Transfer-Encoding", "chunked")
            upstream.endheaders()
            try:
                for piece in self._body():
                    upstream.send(_chunk(piece) if self._left.chunked else piece)
                if self._left.chunked:
                    upstream.send(b"0\r\n\r\n")
            except BrokenPipeError:
                self.close_connection = True  # it has answered before it had heard all
            yield upstream.getresponse()
        finally:
            upstream.close()

    def _pass_on(
        self, *, rest: float = 0.0, cut: bool = False, clock_off: timedelta | None = None
    ) -> None:
        with self._asked() as answer:
            if rest:
                self._rest(rest)
            self._begin_answer(answer, clock_off)
            length = int(answer.getheader("Content-Length") or 0)
            left = length // 2 if cut else None
            chunked = self._answers_in_chunks(answer)
            while piece := answer.read(PIECE if left is None else min(PIECE, left)):
                self.wfile.write(_chunk(piece) if chunked else piece)
                if left is not None:
                    left -= len(piece)
            if cut:
                self._leave()
            elif chunked:
                self.wfile.write(b"0\r\n\r\n")

    def _begin_answer(
        self, answer: http.client.HTTPResponse, clock_off: timedelta | None
    ) -> None:
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() == "date" and clock_off is not None:
                self.send_header(name, _date(clock_off))
            elif name.lower() not in _BETWEEN_TWO:
                self.send_header(name, value)
        if self._answers_in_chunks(answer):
            self.send_header("Transfer-Encoding", "chunked")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _answers_in_chunks(self, answer: http.client.HTTPResponse) -> bool:
        empty = self.command == "HEAD" or answer.status in {204, 304}
        return not empty and answer.getheader("Content-Length") is None

    def _refuse(self, refusal: Refusal) -> None:
        self.send_response_only(refusal.status)
        self.send_header("Date", _date(timedelta()))
        for name, value in refusal.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(refusal.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(refusal.body)


class _Body:
    """The body of a request, as it comes."""

    def __init__(self, stream: Any, headers: Mapping[str, str]) -> None:
        self._stream = stream
        self.chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        self._over = False
        self._left = 0 if self.chunked else int(headers.get("content-length") or 0)

    def pieces(self, most: int = PIECE) -> Iterator[bytes]:
        """Yield what is left, no more than ``most`` bytes at a time."""
        if self.chunked and not self._over:
            yield from self._chunks()
            self._over = True
        while self._left:
            piece = self._stream.read(min(most, self._left))
            if not piece:
                raise ConnectionAbortedError("the client left within its request")
            self._left -= len(piece)
            yield piece

    def drain(self) -> None:
        """Read what is left, and forget it."""
        for _ in self.pieces():
            pass

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._stream.readline().partition(b";")[0] or b"0", 16):
            yield self._stream.read(size)
            self._stream.readline()
        while self._stream.readline().strip():
            pass  # trailers: what is in them is not needed where bytes are not signed


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def _date(off: timedelta) -> str:
    return format_datetime(datetime.now(UTC) + off, usegmt=True)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # the other side was first
        return
