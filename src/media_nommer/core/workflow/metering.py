"""Whose a node's seconds are: each is split evenly among the attempts that run in it."""

from threading import Lock

from media_nommer.core.clock import Clock
from media_nommer.core.nodes import UNKNOWN_MACHINE, Machine
from media_nommer.core.shares import Share


class Meter:
    """Counts what each attempt of one node has had of it, by the monotonic clock.

    Any thread may call. What no attempt has on record is no work, by definition: so the
    shares of the attempts and the rest always come to the seconds of the node.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = Lock()
        self._kind = ""
        self._machine = UNKNOWN_MACHINE
        self._running = 0
        self._counted_to = clock.monotonic()
        # What an attempt would have that had run ever since: the time between two moments,
        # each piece of it divided by how many ran, is the difference of this at them.
        self._each = 0.0
        self._worked = 0.0

    @property
    def worked(self) -> float:
        """Return the seconds that attempts have on record."""
        with self._lock:
            return self._worked

    @property
    def nothing(self) -> Share:
        """Return no seconds of this node: what an attempt has to begin with."""
        with self._lock:
            return Share(kind=self._kind, machine=self._machine)

    def runs_on(self, machine: Machine, *, kind: str) -> None:
        """Tell what the node runs on, as it is known now."""
        with self._lock:
            self._kind, self._machine = kind, machine

    def begin(self) -> "Stint":
        """Begin to count for one more attempt."""
        with self._lock:
            self._count()
            self._running += 1
            return Stint(self, self._each)

    def _count(self) -> None:
        """Count on to now; the lock is held."""
        now = self._clock.monotonic()
        if self._running:
            self._each += (now - self._counted_to) / self._running
        self._counted_to = now


class Stint:
    """One attempt's time on a node: from when it was begun to ``end``."""

    def __init__(self, meter: Meter, began_at: float) -> None:
        self._meter = meter
        self._began_at = began_at
        self._ended_at: float | None = None
        self._on_record = 0.0

    @property
    def share(self) -> Share:
        """Return what the attempt has had of its node so far."""
        meter = self._meter
        with meter._lock:
            meter._count()
            until = meter._each if self._ended_at is None else self._ended_at
            return Share(
                seconds=until - self._began_at, kind=meter._kind, machine=meter._machine
            )

    def is_on_record(self, share: Share) -> None:
        """Count so much of it as worked: it was written down, and stays."""
        with self._meter._lock:
            more = max(share.seconds - self._on_record, 0.0)
            self._on_record += more
            self._meter._worked += more

    def end(self) -> None:
        """Count no further; it may be called again."""
        meter = self._meter
        with meter._lock:
            if self._ended_at is None:
                meter._count()
                meter._running -= 1
                self._ended_at = meter._each
