"""Answering HTTP in a thread, with as little of uvicorn as that takes."""

import socket
import threading

import uvicorn
from starlette.types import ASGIApp

#: Seconds that requests which are being answered get at the end.
_TIME_TO_FINISH = 5


class Server:
    """Serves an app on a socket until it is stopped."""

    def __init__(self, app: ASGIApp, bound: socket.socket) -> None:
        self._bound = bound
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                loop="asyncio",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_TIME_TO_FINISH,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, args=([bound],), name="http", daemon=True
        )

    @property
    def running(self) -> bool:
        """Whether it answers, or will in a moment."""
        return self._thread.is_alive()

    @property
    def url(self) -> str:
        """Where it answers."""
        host, port = self._bound.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests, finish those that there are, and end."""
        self._server.should_exit = True
        self._thread.join(_TIME_TO_FINISH + 5)
