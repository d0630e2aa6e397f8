"""Looking at the machines of the fleet while any lives, so that their ends are seen."""

import time
from collections.abc import Callable

import structlog

from media_nommer.core.clock import Clock, system_clock
from media_nommer.core.errors import NommerError
from media_nommer.core.nodes import NodeId
from media_nommer.core.ports.fleet import Fleet

log = structlog.get_logger(__name__)

#: A look at a large fleet takes much of a core; so many times as long is nothing done.
_RESTS = 9


class MachineWatch:
    """Looks at a fleet whose machines are paid for by the second, and at no record.

    Records cost money to look at, and are not looked at as often therefore; this is how the
    fleet sees each machine end, and ``on_end`` is called. It is ``quiet`` while there
    is no machine.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        on_end: Callable[[], None],
        clock: Clock = system_clock,
        worked: Callable[[], float] = time.thread_time,
    ) -> None:
        """Call ``on_end`` each time that machines ended.

        ``worked`` counts the seconds that this thread has kept a core busy.
        """
        self._fleet = fleet
        self._on_end = on_end
        self._clock = clock
        self._worked = worked
        self._living: frozenset[NodeId] = frozenset()
        self._next_look = clock.monotonic()
        self._took = 0.0
        self.quiet = True

    def step(self) -> int:
        """Look, if it is time to; return how many machines have ended since the last look.

        A fleet that does not answer tells nothing; who looks for the dead says so.
        """
        began, worked = self._clock.monotonic(), self._worked()
        if began < self._next_look:
            self.quiet = False  # there may be a machine by now
            return 0
        try:
            living = self._fleet.alive()
        except NommerError as error:
            log.debug("machines_not_seen", code=error.code, message=error.message)
            return 0
        before, self._took = self._took, self._worked() - worked
        # One look alone may have had more to do: the first of all makes a client.
        self._next_look = began + min(before, self._took) * (1 + _RESTS)
        ended = len(self._living - living)
        self._living, self.quiet = living, not living
        if ended:
            self._on_end()
        return ended
