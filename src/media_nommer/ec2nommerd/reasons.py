"""Why a node should leave, and how long it may still work then."""

import math
from datetime import timedelta

from media_nommer.core.clock import Clock
from media_nommer.core.errors import HandedBack, NommerError, Reclaimed
from media_nommer.core.nodes import SET_ASIDE
from media_nommer.core.ports.surroundings import Notice, NoticeKind
from media_nommer.planning.fleet.leaving import time_to_work


class Reasons:
    """Collects them from any thread; ``ask`` may be called by a signal handler.

    No lock is taken: each reason is one value that is put in its place.
    """

    def __init__(
        self, clock: Clock, *, drain_timeout: timedelta, refused_for: timedelta
    ) -> None:
        """Let work go on for ``drain_timeout`` when asked to leave.

        A store or queue that refuses us, and does nothing else for ``refused_for``, is a
        reason as well.
        """
        self._clock = clock
        self._drain_timeout = drain_timeout.total_seconds()
        self._refused_for = refused_for.total_seconds()
        self._asked = 0
        self._asked_at = math.inf
        self._notice: Notice | None = None
        self._work_until = math.inf
        self._set_aside = ""
        self._refused_since: dict[str, float] = {}
        self._refused = ""

    @property
    def why(self) -> str:
        """Why to leave, in words; empty while there is no reason."""
        if self.fault:
            return self.fault
        if self._notice is not None:
            return _words_of(self._notice)
        return "it was asked to leave" if self._asked else ""

    @property
    def fault(self) -> str:
        """Why this node is no good, empty for one that is."""
        return self._set_aside or self._refused

    @property
    def asked(self) -> int:
        """How often it was asked to leave."""
        return self._asked

    @property
    def work_until(self) -> float:
        """Up to which moment of the monotonic clock it may go on with what it has."""
        if self._set_aside or self._asked > 1:
            return -math.inf
        return min(self._asked_at + self._drain_timeout, self._work_until)

    @property
    def reclaim_leaves(self) -> float | None:
        """Seconds to work until what a reclaim leaves is over, None where there is none."""
        if math.isinf(self._work_until):
            return None
        return max(self._work_until - self._clock.monotonic(), 0.0)

    def ask(self) -> None:
        """Ask to leave, or once more to do it now."""
        if not self._asked:
            self._asked_at = self._clock.monotonic()
        self._asked += 1

    def take(self, notice: Notice) -> None:
        """Take a notice; that the machine is taken back stands for good."""
        if notice.kind is NoticeKind.RECLAIM:
            left = time_to_work(notice.at - self._clock.now())
            until = self._clock.monotonic() + left.total_seconds()
            self._work_until = min(until, self._work_until)
            self._notice = notice
        elif self._notice is None:
            self._notice = notice

    def set_aside(self, why: str) -> None:
        """Have the node leave because work comes to harm on it."""
        self._set_aside = self._set_aside or f"{SET_ASIDE}: {why}"

    def refused(self, what: str, error: NommerError) -> None:
        """Tell that ``what`` was refused us; right after a setup that passes by itself."""
        now = self._clock.monotonic()
        since = self._refused_since.setdefault(what, now)
        if now - since >= self._refused_for:
            self._refused = self._refused or f"{SET_ASIDE}: {error.message}"

    def granted(self, what: str) -> None:
        """Tell that ``what`` went well."""
        self._refused_since.pop(what, None)

    def to_hand_back(self, who: str) -> HandedBack:
        """Return what the work of ``who`` is to be stopped with."""
        if self.fault or self._notice is None:
            return HandedBack("the worker is leaving")
        return Reclaimed(f"{who}: {_words_of(self._notice)}")


def _words_of(notice: Notice) -> str:
    if notice.kind is NoticeKind.RECLAIM:
        return f"its machine is taken back at {notice.at:%H:%M:%S} UTC"
    return "its machine is likely to be taken back"
