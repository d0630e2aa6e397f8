"""Time as an argument: what the time is, and how long something took."""

import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime

from typing_extensions import override


class Clock(ABC):
    """Tells the time in two ways, because they fail in different ways.

    ``now`` may jump and may differ between machines: it is for records that people read
    and for waits where being wrong is harmless. ``monotonic`` never jumps and means nothing
    on another machine: every decision about a lease is made on it.
    """

    @abstractmethod
    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""

    @abstractmethod
    def monotonic(self) -> float:
        """Return seconds since some fixed moment of this process's machine."""


class SystemClock(Clock):
    """The clock of the machine."""

    @override
    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    @override
    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()


system_clock = SystemClock()
