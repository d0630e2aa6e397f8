"""Connections that lead to checked addresses only, and that nobody waits for forever."""

import ssl
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

import httpcore2
from typing_extensions import override

from media_nommer.adapters.http.patience import go_on
from media_nommer.core.clock import Clock
from media_nommer.core.ports.storage import StopCheck

#: What must come while a server may be silent twice, else it only pretends to send: 1 KiB.
TRICKLE = 1 << 10

#: How many addresses of a host are tried.
_ADDRESSES = 4


class CheckedBackend(httpcore2.NetworkBackend):
    """Looks a host up and connects to what was found and checked, not to its name again.

    So the name cannot lead elsewhere by then. TLS still proves the name.
    """

    def __init__(
        self,
        addresses: Callable[[str, int], Iterable[str]],
        *,
        silence: timedelta,
        clock: Clock,
        stop: StopCheck,
    ) -> None:
        self._addresses = addresses
        self._plain = httpcore2.SyncBackend()
        self._silence = silence
        self._clock = clock
        self._stop = stop

    @override
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address of a host that answers."""
        trouble: Exception = httpcore2.ConnectError("it has no address")
        for address in list(self._addresses(host, port))[:_ADDRESSES]:
            go_on(self._stop)
            try:
                stream = self._plain.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                trouble = error
            else:
                return WatchedStream(
                    stream, silence=self._silence, clock=self._clock, stop=self._stop
                )
        raise trouble


class WatchedStream(httpcore2.NetworkStream):
    """Asks ``stop`` before each look at what came, and ends what only trickles."""

    def __init__(
        self,
        stream: httpcore2.NetworkStream,
        *,
        silence: timedelta,
        clock: Clock,
        stop: StopCheck,
    ) -> None:
        self._stream = stream
        self._silence = silence
        self._clock = clock
        self._stop = stop
        self._since = clock.monotonic()
        self._came = 0

    @override
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what came, at least one byte; none at the end."""
        go_on(self._stop)
        data = self._stream.read(max_bytes, timeout)
        self._came += len(data)
        now = self._clock.monotonic()
        if now - self._since > 2 * self._silence.total_seconds():
            if data and self._came < TRICKLE:
                raise httpcore2.ReadTimeout("it sends next to nothing")
            self._since, self._came = now, 0
        return data

    @override
    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes."""
        self._stream.write(buffer, timeout)

    @override
    def close(self) -> None:
        """Hang up."""
        self._stream.close()

    @override
    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        """Return the connection under TLS, for a host that has proved its name."""
        stream = self._stream.start_tls(ssl_context, server_hostname, timeout)
        return WatchedStream(
            stream, silence=self._silence, clock=self._clock, stop=self._stop
        )

    @override
    def get_extra_info(self, info: str) -> Any:
        """Return what the connection below knows."""
        return self._stream.get_extra_info(info)
