"""A clock that stands still until it is told to move."""

import threading
from datetime import UTC, datetime, timedelta

from typing_extensions import override

from media_nommer.core.clock import Clock

#: When a manual clock begins, unless told otherwise.
START = datetime(2026, 1, 1, tzinfo=UTC)


class ManualClock(Clock):
    """Tells the time that the test says it is; safe to read and move from any thread."""

    def __init__(self, start: datetime = START) -> None:
        self._lock = threading.Lock()
        self._now = start
        self._elapsed = timedelta()

    @override
    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        with self._lock:
            return self._now

    @override
    def monotonic(self) -> float:
        """Return the seconds that ``advance`` has let pass."""
        with self._lock:
            return self._elapsed.total_seconds()

    def advance(self, by: timedelta) -> None:
        """Let time pass, on both clocks.

        Raises:
            ValueError: ``by`` is negative, and time does not run backwards.
        """
        if by < timedelta():
            raise ValueError(f"time does not run backwards: {by}")
        with self._lock:
            self._now += by
            self._elapsed += by

    def jump(self, by: timedelta) -> None:
        """Set the wall clock forth or back while no time passes, as an operator may."""
        with self._lock:
            self._now += by
