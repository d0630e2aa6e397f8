"""SimpleDB as an HTTP server that any client of Amazon's can talk to."""

import threading
import uuid
from collections import deque
from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Self

from media_nommer.core.clock import Clock, system_clock
from media_nommer.testing.simpledb import answers
from media_nommer.testing.simpledb.conditions import Item
from media_nommer.testing.simpledb.counts import Counts
from media_nommer.testing.simpledb.errors import SimpleDbError
from media_nommer.testing.simpledb.faults import Fault, Hook
from media_nommer.testing.simpledb.limits import Limits
from media_nommer.testing.simpledb.service import Service
from media_nommer.testing.simpledb.web import Reply, Web

#: A lag that only ``settle`` ends.
UNTIL_SETTLED = timedelta.max


class SimpleDbServer:
    """Amazon SimpleDB of API version 2009-04-15, in this process, empty at first.

    It listens from when it is made until it is closed; use it in a ``with``. All methods
    may be called from any thread, also while clients are being served.

    ``lag`` is how long a write stays hidden from reads that do not ask for consistency,
    timed on ``clock``; it holds for writes made from then on. ``on_call`` is asked at
    each call for what is to go wrong with it; what ``fail_next`` ordered comes first.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        limits: Limits | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self.on_call: Hook | None = None
        self._limits = limits or Limits()
        self._lock = threading.RLock()
        self._service = Service(self._limits, clock)
        self._counts = Counts()
        self._ordered: deque[tuple[str | None, Fault]] = deque()
        self._closing = threading.Event()
        self._web = Web((host, port), self._reply, self._limits.request_bytes)
        self._thread = threading.Thread(
            target=self._web.serve, name="simpledb", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """What a client takes for its ``endpoint_url``."""
        return self._web.url

    @property
    def lag(self) -> timedelta:
        """How long writes stay hidden from reads that do not ask for consistency."""
        return self._service.lag

    @lag.setter
    def lag(self, lag: timedelta) -> None:
        with self._lock:
            self._service.lag = lag

    @property
    def counts(self) -> Counts:
        """What was asked so far, as it is now; a copy."""
        with self._lock:
            return self._counts.copy()

    def reset_counts(self) -> None:
        """Count from nothing again."""
        with self._lock:
            self._counts = Counts()

    def settle(self) -> None:
        """Let every read see every write that was made until now."""
        with self._lock:
            self._service.settle()

    def fail_next(self, fault: Fault, *, action: str | None = None, times: int = 1) -> None:
        """Let the next calls go wrong: of one action, or of any.

        Orders are met in the order they were given, each by the first call it fits.
        """
        with self._lock:
            self._ordered.extend([(action, fault)] * times)

    def items(self, domain: str) -> dict[str, Item]:
        """Return what a domain holds, each item with the values of its attributes.

        Raises:
            SimpleDbError: there is no such domain.
        """
        with self._lock:
            return dict(self._service.domain(domain).latest.items)

    def close(self) -> None:
        """End every connection and stop listening; nothing is left running."""
        self._closing.set()
        self._web.close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _reply(self, parameters: Mapping[str, str]) -> Reply | None:
        """Answer one call; None drops the connection."""
        action = parameters.get("Action", "")
        fault = self._fault(action, parameters)
        if fault.delay:
            self._closing.wait(fault.delay.total_seconds())
        reply = self._carry_out(action, parameters) if fault.applied else None
        if fault.dropped:
            return None
        if fault.error is not None:
            return self._refused(SimpleDbError(fault.error, "Ordered by a test"))
        return reply

    def _fault(self, action: str, parameters: Mapping[str, str]) -> Fault:
        with self._lock:
            self._counts.calls[action] += 1
            for order in self._ordered:
                if order[0] in {None, action}:
                    self._ordered.remove(order)
                    return order[1]
        hook = self.on_call
        return (hook(action, parameters) if hook else None) or Fault()

    def _carry_out(self, action: str, parameters: Mapping[str, str]) -> Reply:
        with self._lock:
            try:
                done = self._service.call(action, parameters)
            except SimpleDbError as error:
                return self._refused(error)
            self._counts.box_usage += done.box_usage
            if done.work is not None:
                self._counts.selects.append(done.work)
        body = answers.answer(action, done.result, str(uuid.uuid4()), done.box_usage)
        return Reply(200, body)

    def _refused(self, error: SimpleDbError) -> Reply:
        with self._lock:
            self._counts.refusals[error.code] += 1
        return Reply(error.status, answers.refusal(error, str(uuid.uuid4()), 0.0))
