"""Looking out for notices to end, beside the work and never in its way."""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self

import structlog

from media_nommer.core.errors import NommerError
from media_nommer.core.ports.surroundings import Notice, Surroundings

log = structlog.get_logger(__name__)

#: As Amazon advises: of the two minutes that a notice leaves, little is lost.
LOOK_EVERY = timedelta(seconds=5)

#: How long, in seconds, the end waits for a look that is under way.
_TIME_TO_END = 3.0


class NoticeWatch:
    """Asks the surroundings in a thread of its own, and tells ``listeners`` what is new.

    A context manager: it looks while the block runs.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        listeners: Sequence[Callable[[Notice], None]],
        *,
        every: timedelta = LOOK_EVERY,
    ) -> None:
        self._surroundings = surroundings
        self._listeners = tuple(listeners)
        self._every = every.total_seconds()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)
        self._last: Notice | None = None
        self._silent = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(_TIME_TO_END)

    def look(self) -> None:
        """Ask once. That nobody answers is no notice, and logged once."""
        try:
            found = self._surroundings.notice()
        except NommerError as error:
            if not self._silent:
                log.warning("notices_not_seen", code=error.code, message=error.message)
            self._silent = True
            return
        self._silent = False
        if found is not None and found != self._last:
            self._last = found
            for listener in self._listeners:
                listener(found)

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self.look()
            except Exception:
                log.exception("notices_broken")
            self._over.wait(self._every)
