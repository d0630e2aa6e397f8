"""What is turned away before it reaches a route: strangers, other sites, too much."""

import time
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from media_nommer.feederd.api.problems import problem

log = structlog.get_logger(__name__)

MOST_BYTES = 1 << 20
_OWN_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class TooLarge(Exception):
    """A body grew beyond the limit while it was read."""


class Guard:
    """Stands before the app.

    A server on loopback has no key: what keeps others out is that a web page of another
    site cannot forge ``Host``, ``Origin`` and ``Sec-Fetch-Site``. With ``loopback`` the
    ``Host`` must be a name of this machine, which also stops DNS rebinding.
    """

    def __init__(self, app: ASGIApp, *, loopback: bool) -> None:
        self._app = app
        self._loopback = loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Turn a request away, or hand it on with its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, statuses = time.perf_counter(), [0]

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses[0] = message["status"]
            await send(message)

        refusal = self._refusal(scope["method"], Headers(scope=scope))
        if refusal is not None:
            await refusal(scope, receive, noting)
        else:
            await self._hand_on(scope, receive, noting)
        log.debug(
            "request",
            method=scope["method"],
            path=scope["path"],
            status=statuses[0],
            ms=round((time.perf_counter() - began) * 1000, 1),
        )

    async def _hand_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        read = 0

        async def counting() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MOST_BYTES:
                raise TooLarge
            return message

        try:
            await self._app(scope, counting, send)
        except TooLarge:
            await _too_large()(scope, receive, send)

    def _refusal(self, method: str, headers: Headers) -> Response | None:
        """Return the answer for a request that is turned away, None for one that is not."""
        host = headers.get("host", "")
        if self._loopback and _name(host) not in _OWN_NAMES:
            return problem(
                403,
                "UNKNOWN_HOST",
                f"this server is not called {host!r}",
                advice="Ask for it at localhost or 127.0.0.1.",
            )
        origin = headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc.lower() != host.lower()
        if foreign or headers.get("sec-fetch-site") == "cross-site":
            return problem(403, "CROSS_SITE", "requests from other sites are not answered")
        return _refused_body(method, headers)


def _refused_body(method: str, headers: Headers) -> Response | None:
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > MOST_BYTES:
        return _too_large()
    if method not in _WRITING:
        return None
    kind = headers.get("content-type")
    bodiless = length == "0" and "transfer-encoding" not in headers
    if kind is None and bodiless:
        return None
    if kind is None or kind.partition(";")[0].strip().lower() != "application/json":
        return problem(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            f"the body is of type {kind!r}",
            advice="Send JSON, with `Content-Type: application/json`.",
        )
    return None


def _too_large() -> Response:
    return problem(413, "TOO_LARGE", f"the body has more than {MOST_BYTES} bytes")


def _name(host: str) -> str:
    """Return a Host header without its port."""
    if host.startswith("["):
        return host.partition("]")[0].lower() + "]"
    return host.partition(":")[0].lower()
