"""A daemon as a Twisted service: it lives in a thread, the reactor takes the signals."""

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.logger import Logger
from typing_extensions import override

from media_nommer.core.errors import NommerError


class Reactor(Protocol):
    """What we ask of a reactor: parts of IReactorCore and IReactorThreads that all have."""

    def callWhenRunning(self, call: Callable[[], None], /) -> object:
        """Call once it runs."""

    def callFromThread(self, call: Callable[..., None], /, *args: object) -> object:
        """Call in its own thread; any other thread and a signal handler may ask."""

    def stop(self) -> None:
        """End it, once all services have stopped."""


class DaemonService(Service):
    """Runs a daemon, once, while the reactor runs; when it ends, so does the reactor.

    ``run`` is called in a thread of its own and returns an exit status, after ``ask`` was
    called or before; ``ask`` must be fit for signal handlers. The first SIGINT or SIGTERM
    stops the reactor, further ones ask again. ``status`` is what ``run`` returned.
    """

    def __init__(
        self,
        name: str,
        run: Callable[[], int],
        ask: Callable[[], None],
        reactor: Reactor,
    ) -> None:
        self.name = name
        self.status = 0
        self._run = run
        self._ask = ask
        self._reactor = reactor
        self._log = Logger(name)
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._over: Deferred[None] = Deferred()

    @override
    def startService(self) -> None:
        """Begin as soon as the reactor runs; before that twistd may still fork."""
        super().startService()  # type: ignore[no-untyped-call]
        self._reactor.callWhenRunning(self._begin)

    @override
    def stopService(self) -> Deferred[None] | None:
        """Ask the daemon to stop; the result fires when it has ended."""
        super().stopService()  # type: ignore[no-untyped-call]
        self._ask()
        return self._over if self._thread.ident else None

    def _begin(self) -> None:
        if not self.running:
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._signaled)
        self._thread.start()

    def _signaled(self, _number: int, _frame: FrameType | None) -> None:
        """Stop or hurry; the reactor's own handler raises where it is stopping already."""
        if self.running:
            self._reactor.callFromThread(self._stop_reactor)
        else:
            self._ask()

    def _live(self) -> None:
        status = 1
        try:
            status = self._run()
        except NommerError as error:
            self._log.error(
                "{message}; {advice}", message=error.message, advice=error.advice
            )
        except Exception:
            self._log.failure("it broke")
        finally:
            self._reactor.callFromThread(self._ended, status)

    def _ended(self, status: int) -> None:
        self.status = status
        self._over.callback(None)
        if self.running:
            self._stop_reactor()

    def _stop_reactor(self) -> None:
        with suppress(ReactorNotRunning):  # somebody else has stopped it
            self._reactor.stop()


def exit_as(service: DaemonService) -> None:
    """End the process with the daemon's status: the last thing that an interpreter does.

    twistd itself ends with 0 whatever its services have met.
    """
    if service.status:
        for stream in (sys.__stdout__, sys.__stderr__):
            with suppress(OSError, ValueError):  # nobody reads it any more
                if stream is not None:
                    stream.flush()
        os._exit(service.status)


__all__ = ["DaemonService", "Reactor", "exit_as"]
