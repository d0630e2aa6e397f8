"""Who runs feederd's loops: lease records, so that two feederds are harmless (rule 9)."""

import threading
from collections.abc import Callable
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
    """A loop of feederd: one ``step``, done ``every`` so often by who has its ``duty``."""

    name: str
    duty: str
    every: timedelta
    step: Callable[[], object]


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
        self._shown: dict[str, float] = {}
        self._lock = threading.Lock()

    def have(self, name: str) -> bool:
        """Return whether a duty is ours now, taking it where it is free."""
        with self._lock:
            return self._have(name)

    def release(self) -> None:
        """Give up every duty, so that another feederd need not wait."""
        with self._lock:
            for name in list(self._shown):
                del self._shown[name]
                duty = self._engine.store.get_duty(name)
                if duty is not None and duty.holder == self._holder:
                    self._swap(replace(duty, lease=timedelta(), beat=duty.beat + 1))

    def _have(self, name: str) -> bool:
        now = self._engine.clock.monotonic()
        shown = self._shown.get(name)
        if shown is not None and now - shown < self._lease.total_seconds() / 3:
            return True
        duty = self._engine.store.get_duty(name)
        if duty is not None and not self._may_take(duty):
            self._shown.pop(name, None)
            return False
        return self._take(name, duty, now)

    def _may_take(self, duty: Duty) -> bool:
        if duty.holder == self._holder:
            return True
        still = self._watch.still_for(duty.name, (duty.holder, duty.beat))
        return still >= duty.lease

    def _take(self, name: str, duty: Duty | None, now: float) -> bool:
        at = self._engine.clock.now()
        new = Duty(name=name, holder=self._holder, lease=self._lease, changed_at=at)
        if duty is not None:
            new = replace(new, beat=duty.beat + 1, revision=duty.revision)
        if not self._swap(new):
            self._shown.pop(name, None)
            return False
        self._shown[name] = now
        return True

    def _swap(self, duty: Duty) -> bool:
        try:
            self._engine.store.swap_duty(duty)
        except Overtaken:
            return False
        return True
