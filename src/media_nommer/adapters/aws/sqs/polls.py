"""Waiting for messages: one long poll a priority at a time, shared by all who wait."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Generic, Protocol, TypeVar

from media_nommer.adapters.aws.sqs.calls import LONGEST_POLL
from media_nommer.core.errors import NommerError
from media_nommer.core.jobs import Priority
from media_nommer.core.ports.queue import GiveUp

Found = TypeVar("Found")
Brought = TypeVar("Brought", covariant=True)

#: How often, in seconds, one who waits is asked whether to give up.
_ASK_EVERY = 0.2

#: For so long after a poll that brought nothing a class is taken to be empty.
_STAYS_EMPTY = 1.0


class Poll(Protocol[Brought]):
    """Waits for a message of a priority for so many seconds; hides what it brings."""

    def __call__(
        self, priority: Priority, lease: timedelta, seconds: int
    ) -> Brought | None:
        """Return what came, if anything."""


@dataclass(slots=True, eq=False)
class _Waiter:
    """One who waits, and the error that a poll has met meanwhile."""

    error: Exception | None = None


class Polls(Generic[Found]):
    """Polls in threads of their own, and what they brought until somebody takes it.

    A poll cannot be called off: it goes on when those who waited for it are gone. What it
    brings nobody then takes within ``grace`` is handed to ``give_back``.
    """

    def __init__(
        self, poll: Poll[Found], give_back: Callable[[Found], None], grace: timedelta
    ) -> None:
        self._poll = poll
        self._give_back = give_back
        self._grace = grace.total_seconds()
        self._changed = threading.Condition()
        self._running: set[Priority] = set()
        self._empty_at: dict[Priority, float] = {}
        self._kept: list[tuple[Priority, Found]] = []
        self._waiters: list[_Waiter] = []
        self._closed = False

    def is_empty(self, priority: Priority) -> bool:
        """Return whether a class is being polled, or was a moment ago, for nothing.

        To look there would be a call in vain: what comes is brought by the next poll.
        """
        with self._changed:
            since = time.monotonic() - self._empty_at.get(priority, float("-inf"))
            return priority in self._running or since < _STAYS_EMPTY

    def pop(self, priority: Priority) -> Found | None:
        """Take what a poll of this class has brought, if anything."""
        with self._changed:
            return self._pop([priority])

    def wait(
        self, order: Sequence[Priority], lease: timedelta, until: float, give_up: GiveUp
    ) -> Found | None:
        """Take what the polls bring, the first of ``order`` first; None if nothing comes.

        ``until`` is a moment of ``time.monotonic()``.

        Raises:
            NommerError: a poll failed.
        """
        waiter = _Waiter()
        #: A poll for less than a second is a waste, unless the wait is as short.
        worth = min(1.0, (until - time.monotonic()) / 2)
        with self._changed:
            self._waiters.append(waiter)
        try:
            while not give_up():
                with self._changed:
                    found = self._pop(order)
                    left = until - time.monotonic()
                    if found is not None or left <= 0 or self._closed:
                        return found
                    if waiter.error is not None:
                        raise waiter.error
                    if left >= worth:
                        self._begin(lease, min(LONGEST_POLL, ceil(left)))
                    self._changed.wait(min(left, _ASK_EVERY))
            return None
        finally:
            with self._changed:
                self._waiters.remove(waiter)

    def close(self) -> None:
        """Hand back what nobody took, and let nobody wait any more.

        Polls go on for 20 seconds at most, and what they bring is handed back at once. If
        the process ends before, it shows up again when its lease ends.
        """
        with self._changed:
            self._closed = True
            kept, self._kept = self._kept, []
            self._changed.notify_all()
        for _, found in kept:
            self._return(found)

    def _begin(self, lease: timedelta, seconds: int) -> None:
        """Poll the classes that are not being polled."""
        for priority in set(Priority) - self._running:
            threading.Thread(
                target=self._run,
                args=(priority, lease, seconds),
                name=f"sqs-{priority}",
                daemon=True,  # the process need not stay for a poll's 20 seconds
            ).start()
            self._running.add(priority)

    def _run(self, priority: Priority, lease: timedelta, seconds: int) -> None:
        found, error = None, None
        try:
            found = self._poll(priority, lease, seconds)
        except Exception as failed:  # it belongs to those who wait, not to this thread
            error = failed
        with self._changed:
            self._ended(priority, found, error)
            if found is None:
                return
            entry = (priority, found)
            self._kept.append(entry)
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._closed or not self._keeps(found), self._grace
            )
            if not self._keeps(found):
                return
            self._kept.remove(entry)
        self._return(found)

    def _ended(
        self, priority: Priority, found: Found | None, error: Exception | None
    ) -> None:
        self._running.discard(priority)
        if error is not None:
            for waiter in self._waiters:
                waiter.error = error
        elif found is None:
            self._empty_at[priority] = time.monotonic()
        self._changed.notify_all()

    def _keeps(self, found: Found) -> bool:
        return any(kept is found for _, kept in self._kept)

    def _pop(self, order: Sequence[Priority]) -> Found | None:
        for priority in order:
            for entry in self._kept:
                if entry[0] is priority:
                    self._kept.remove(entry)
                    self._changed.notify_all()
                    return entry[1]
        return None

    def _return(self, found: Found) -> None:
        """Hand back; where that fails, it shows up again when its lease ends."""
        with suppress(NommerError):
            self._give_back(found)
