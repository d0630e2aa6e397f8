"""How long and how often a server is tried."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import structlog

from media_nommer.adapters.http.trouble import Interrupted
from media_nommer.core.ports.storage import StopCheck

log = structlog.get_logger(__name__)

Done = TypeVar("Done")

#: What one connection must bring for those that failed before it to be forgotten: 1 MiB.
WORTH = 1 << 20

#: How long a wait may be deaf to ``stop``.
_NAP = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Limits on waiting.

    ``connect`` is for each address of a host, ``silence`` for a connection that sends
    nothing. ``tries`` are those in a row that bring little; between them are waits that
    double from ``first_wait``, or are what the server asks for, never beyond
    ``longest_wait``.
    """

    tries: int = 5
    first_wait: timedelta = timedelta(seconds=1)
    longest_wait: timedelta = timedelta(minutes=1)
    connect: timedelta = timedelta(seconds=10)
    silence: timedelta = timedelta(seconds=30)

    def wait(self, failures: int, asked: timedelta | None, dice: float) -> timedelta:
        """Return how long to wait after so many failures; ``dice`` is from 0 to 1."""
        doubled = min(self.first_wait * (1 << min(failures - 1, 20)), self.longest_wait)
        ours = doubled * (0.5 + dice / 2)
        return min(max(ours, asked or timedelta()), self.longest_wait)


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    """Tries again what was interrupted. ``sleep`` and ``dice`` are time and chance."""

    patience: Patience
    sleep: Callable[[float], None]
    dice: Callable[[], float]

    def until_done(
        self,
        once: Callable[[], Done],
        *,
        what: str,
        stop: StopCheck,
        brought: Callable[[], int] = lambda: 0,
    ) -> Done:
        """Return what ``once`` does; ``brought`` counts what was gained so far.

        Raises:
            Interrupted: it was interrupted too often.
        """
        failures = 0
        while True:
            before = brought()
            try:
                return once()
            except Interrupted as error:
                failures = 1 if brought() - before >= WORTH else failures + 1
                if failures >= self.patience.tries:
                    raise
                span = self.patience.wait(failures, error.wait, self.dice())
                log.warning("http_retry", url=what, message=error.message, wait=str(span))
                self._rest(span, stop)

    def _rest(self, span: timedelta, stop: StopCheck) -> None:
        while span > timedelta():
            go_on(stop)
            nap = min(span, _NAP)
            self.sleep(nap.total_seconds())
            span -= nap
        go_on(stop)


def go_on(stop: StopCheck) -> None:
    """Raise what ``stop`` answers, if it does."""
    reason = stop()
    if reason is not None:
        raise reason
