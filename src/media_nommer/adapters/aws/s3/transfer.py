"""Moving many pieces at once, stopping when told, waiting for a service that is away."""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import timedelta
from typing import Generic, TypeVar

import structlog

from media_nommer.adapters.aws.s3.calls import StorageAway
from media_nommer.core.ports.storage import StopCheck

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

#: How many pieces are on their way at once.
THREADS = 4

#: Seconds between two tries of a step whose service is away; they double up to the last.
FIRST_REST = 1.0
LAST_REST = 30.0
#: How often a waiting transfer asks whether to stop, in seconds.
_LOOK_EVERY = 1.0


class Transfer:
    """One fetch, put or copy: belongs to the thread that made it, and lends some others.

    A step whose service is away is taken again for as long as ``patience``, so that what
    was moved already is not moved again after an outage.
    """

    def __init__(self, stop: StopCheck, patience: timedelta) -> None:
        self._stop = stop
        self._patience = patience.total_seconds()
        self._owner = threading.get_ident()
        self._over = threading.Event()

    def look(self) -> None:
        """Raise the reason to stop, if there is one."""
        reason = self._stop()
        if reason is not None:
            raise reason

    def patiently(self, step: Callable[[], Answer]) -> Answer:
        """Return what ``step`` answers, once its service does.

        Raises:
            StorageAway: it was away for too long.
        """
        began, rest = time.monotonic(), FIRST_REST
        while True:
            try:
                return step()
            except StorageAway as error:
                if time.monotonic() + rest - began > self._patience:
                    raise
                log.warning("storage_awaited", message=error.message)
                self.rest(rest)
                if self._over.is_set():
                    raise
            rest = min(2 * rest, LAST_REST)

    def rest(self, seconds: float) -> None:
        """Wait a while, or until there is a reason to stop."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._over.is_set():
            self._over.wait(min(left, _LOOK_EVERY))
            if threading.get_ident() == self._owner:
                self.look()

    def all_of(self, steps: Iterable[Callable[[], Answer]]) -> list[Answer]:
        """Take all steps, some at once, each patiently; return their answers in order.

        After each step is a look at ``stop``. Whatever ends this early, no step goes on
        behind it.
        """
        under_way = _UnderWay[Answer]()
        with ThreadPoolExecutor(THREADS, thread_name_prefix="transfer") as pool:
            try:
                for step in steps:
                    while len(under_way) >= THREADS:
                        self._collect(under_way)
                    under_way.add(pool.submit(self.patiently, step))
                while len(under_way):
                    self._collect(under_way)
            except BaseException:
                self._over.set()
                raise
        return under_way.in_order()

    def _collect(self, under_way: "_UnderWay[Answer]") -> None:
        for _ in range(max(1, under_way.collect(_LOOK_EVERY))):
            self.look()


class _UnderWay(Generic[Answer]):
    """Steps that are not over yet, and the answers of those that are."""

    def __init__(self) -> None:
        self._running: dict[Future[Answer], int] = {}
        self._answers: dict[int, Answer] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._running)

    def add(self, future: "Future[Answer]") -> None:
        """Remember a step that has begun."""
        self._running[future] = self._count
        self._count += 1

    def collect(self, patience: float) -> int:
        """Wait for a step to be over; return how many are."""
        over, _ = wait(self._running, timeout=patience, return_when=FIRST_COMPLETED)
        for future in over:
            self._answers[self._running.pop(future)] = future.result()
        return len(over)

    def in_order(self) -> list[Answer]:
        """Return all answers, in the order in which the steps began."""
        return [self._answers[number] for number in range(self._count)]
