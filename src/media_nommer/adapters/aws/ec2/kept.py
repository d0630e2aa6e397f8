"""A value that costs a call to have, and is good for a while."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Generic, TypeVar

from media_nommer.core.clock import Clock

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """Fetches a value when it is asked for and the one it has is too old.

    ``lasting`` tells of a value for how long it is good. Threads may share it: while one
    fetches, the others wait for what it gets. After a fetch that failed the next question
    fetches again.
    """

    def __init__(
        self,
        fetch: Callable[[], Value],
        lasting: Callable[[Value], timedelta],
        clock: Clock,
    ) -> None:
        self._fetch = fetch
        self._lasting = lasting
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: tuple[Value, float] | None = None

    def get(self) -> Value:
        """Return the value, fetched now or a short while ago."""
        with self._lock:
            now = self._clock.monotonic()
            if self._kept is None or now >= self._kept[1]:
                value = self._fetch()
                self._kept = (value, now + self._lasting(value).total_seconds())
            return self._kept[0]

    def forget(self) -> None:
        """Have the next question fetch the value anew."""
        with self._lock:
            self._kept = None
