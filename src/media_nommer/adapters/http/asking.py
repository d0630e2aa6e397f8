"""One question to a server, through all redirects, each of them checked."""

import logging
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import httpcore2
import httpx2

from media_nommer.adapters.http.addresses import Resolve, checked
from media_nommer.adapters.http.answers import REDIRECTS
from media_nommer.adapters.http.links import next_hop, shown
from media_nommer.adapters.http.patience import Patience
from media_nommer.adapters.http.trouble import Interrupted
from media_nommer.adapters.http.watched import CheckedBackend
from media_nommer.core.clock import Clock
from media_nommer.core.errors import SourceRefused
from media_nommer.core.ports.storage import StopCheck

MAX_REDIRECTS = 10

#: What every question says; a file must come as it is, not packed for the way.
_HEADERS = {
    "User-Agent": "media-nommer",
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "close",
}

# At DEBUG it writes whole headers, in which a redirect to a presigned link would stand.
if logging.getLogger("httpcore2").level == logging.NOTSET:
    logging.getLogger("httpcore2").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the last server said; ``pieces`` come as they are read, and only once."""

    link: httpx2.URL
    status: int
    headers: httpx2.Headers
    pieces: Iterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """Asks servers, a new connection for each question, past all proxies.

    What ``tls`` trusts is trusted; None is what this machine trusts.
    """

    private_networks: bool
    patience: Patience
    tls: ssl.SSLContext | None
    resolve: Resolve
    clock: Clock

    @contextmanager
    def ask(
        self,
        method: str,
        link: httpx2.URL,
        headers: Mapping[str, str],
        stop: StopCheck,
    ) -> Iterator[Answer]:
        """Ask for ``link`` and where it redirects to; the connection ends with the block.

        Raises:
            Interrupted: the connection did not come about, or broke inside the block.
            AccessDenied: it leads to an address that may not be connected to.
            SourceRefused: a redirect may not be followed, or a certificate is no good.
        """
        for _ in range(MAX_REDIRECTS + 1):
            with self._asked(method, link, headers, stop) as answer:
                location = answer.headers.get("location")
                if answer.status not in REDIRECTS or location is None:
                    yield answer
                    return
            link = next_hop(link, location)
        raise SourceRefused(
            f"{shown(link)} is not reached after {MAX_REDIRECTS} redirects",
            advice="They may go in a circle: open the URL in a browser.",
        )

    @contextmanager
    def _asked(
        self,
        method: str,
        link: httpx2.URL,
        headers: Mapping[str, str],
        stop: StopCheck,
    ) -> Iterator[Answer]:
        target = httpcore2.URL(
            scheme=link.raw_scheme,
            host=link.raw_host,
            port=link.port,
            target=link.raw_path,
        )
        request = httpcore2.Request(
            method,
            target,
            headers=[("Host", link.netloc), *_HEADERS.items(), *headers.items()],
            extensions={"timeout": self._timeouts()},
        )
        backend = CheckedBackend(
            partial(checked, private_networks=self.private_networks, resolve=self.resolve),
            silence=self.patience.silence,
            clock=self.clock,
            stop=stop,
        )
        with (
            _translated(link),
            httpcore2.HTTPConnection(
                target.origin, self.tls, network_backend=backend
            ) as connection,
        ):
            response = connection.handle_request(request)
            pieces = response.iter_stream()
            try:
                yield Answer(
                    link, response.status, httpx2.Headers(response.headers), pieces
                )
            finally:
                response.close()

    def _timeouts(self) -> dict[str, float]:
        silence = self.patience.silence.total_seconds()
        connect = self.patience.connect.total_seconds()
        return {"connect": connect, "read": silence, "write": silence}


@contextmanager
def _translated(link: httpx2.URL) -> Iterator[None]:
    """Raise our errors for those of the connection inside."""
    where = f"{link.scheme}://{link.netloc.decode('ascii')}"
    try:
        yield
    except httpcore2.TimeoutException as error:
        raise Interrupted(f"{where} did not answer in time") from error
    except httpcore2.ConnectError as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError):
            raise SourceRefused(
                f"the certificate of {where} is no good: {error.__cause__.verify_message}",
                advice="Tell whoever runs that server, or add the authority that signed "
                "it to those that this machine trusts.",
            ) from error
        raise Interrupted(f"{where} cannot be connected to: {error}") from error
    except (httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise Interrupted(f"the connection to {where} broke: {error}") from error
