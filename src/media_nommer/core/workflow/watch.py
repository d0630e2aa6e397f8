"""Telling the dead from the slow: how long a beat has stood still, by one's own clock."""

from collections.abc import Hashable
from datetime import timedelta

from media_nommer.core.clock import Clock


class BeatWatch:
    """Remembers when each beat was first seen as it is, on this process's monotonic clock.

    No clock of another machine enters into it, so a skewed one can do no harm (rule 2).
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[Hashable, tuple[Hashable, float]] = {}

    def still_for(self, key: Hashable, beat: Hashable) -> timedelta:
        """Return how long ``key`` has been seen to show ``beat``; zero the first time."""
        now = self._clock.monotonic()
        last, since = self._seen.get(key, (None, now))
        if last != beat or key not in self._seen:
            self._seen[key] = (beat, now)
            return timedelta()
        return timedelta(seconds=now - since)

    def moved_within(self, key: Hashable, beat: Hashable, period: timedelta) -> bool:
        """Return whether ``key`` was seen to move, by us, less than ``period`` ago.

        The first sight of a beat is no movement: it may have stood still for a year.
        """
        known = self._seen.get(key)
        now = self._clock.monotonic()
        if known is None:
            self._seen[key] = (beat, float("-inf"))
            return False
        if known[0] != beat:
            self._seen[key] = (beat, now)
            return True
        return now - known[1] < period.total_seconds()

    def forget(self, key: Hashable) -> None:
        """Stop remembering ``key``."""
        self._seen.pop(key, None)
