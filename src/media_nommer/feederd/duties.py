"""Who runs feederd's loops: lease records, so that two feederds are harmless (rule 9)."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

from media_nommer.core.errors import Overtaken
from media_nommer.core.nodes import Duty
from media_nommer.core.workflow.engine import Engine
from media_nommer.core.workflow.watch import BeatWatch

#: How long a duty outlives the last sign of life of its holder.
DUTY_LEASE = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Chore:
    """A loop of feederd: one ``step``, done ``every`` so often by who has its ``duty``.

    While ``quiet`` says that nothing is going on it is done ``quiet_every`` so often.
    """

    name: str
    duty: str
    every: timedelta
    step: Callable[[], object]
    quiet: Callable[[], bool] = lambda: False
    quiet_every: timedelta = timedelta()

    @property
    def pause(self) -> timedelta:
        """How long to rest after a step."""
        return max(self.every, self.quiet_every) if self.quiet() else self.every


class Duties:
    """The duties that one feederd has, or would have if their holder fell silent.

    ``holder`` names this feederd, and stays the same over its restarts: it takes up at once
    what it had before. Another's duty is taken over when its beat was watched to stand
    still for a whole lease, on our monotonic clock. Any thread may call.
    """

    def __init__(
        self, engine: Engine, holder: str, *, lease: timedelta = DUTY_LEASE
    ) -> None:
        self._engine = engine
        self._holder = holder
        self._lease = lease
        self._watch = BeatWatch(engine.clock)
        #: The duties that are ours, as we last stored them, and when.
        self._shown: dict[str, tuple[Duty, float]] = {}
        self._lock = threading.Lock()

    def have(self, name: str) -> bool:
        """Return whether a duty is ours now, taking it where it is free."""
        with self._lock:
            return self._have(name)

    def holds(self, name: str) -> bool:
        """Return whether a duty was ours when that was last looked at."""
        return name in self._shown

    def release(self) -> None:
        """Give up every duty, so that another feederd need not wait."""
        with self._lock:
            for name in list(self._shown):
                del self._shown[name]
                duty = self._engine.store.get_duty(name)
                if duty is not None and duty.holder == self._holder:
                    with suppress(Overtaken):
                        free = replace(duty, lease=timedelta(), beat=duty.beat + 1)
                        self._engine.store.swap_duty(free)

    def _have(self, name: str) -> bool:
        now = self._engine.clock.monotonic()
        if name in self._shown:
            mine, at = self._shown[name]
            # As long as nobody else wrote, what we stored last is what there is.
            if now - at < self._lease.total_seconds() / 3 or self._take(name, mine, now):
                return True
        duty = self._engine.store.get_duty(name)
        if duty is not None and not self._may_take(duty):
            return False
        return self._take(name, duty, now)

    def _may_take(self, duty: Duty) -> bool:
        if duty.holder == self._holder:
            return True
        still = self._watch.still_for(duty.name, (duty.holder, duty.beat))
        return still >= duty.lease

    def _take(self, name: str, duty: Duty | None, now: float) -> bool:
        """Show that a duty is ours, unless it is not as ``duty`` says any more."""
        at = self._engine.clock.now()
        new = Duty(name=name, holder=self._holder, lease=self._lease, changed_at=at)
        if duty is not None:
            new = replace(new, beat=duty.beat + 1, revision=duty.revision)
        self._shown.pop(name, None)
        try:
            taken = self._engine.store.swap_duty(new)
        except Overtaken:
            return False
        self._shown[name] = (taken, now)
        return True
