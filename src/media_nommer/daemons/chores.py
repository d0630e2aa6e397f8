"""The loops of feederd: what each does, and how often, where a look costs money or not."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from media_nommer import wiring
from media_nommer.conf.settings import Settings
from media_nommer.conf.values import FOREVER
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.archivist import Archivist
from media_nommer.feederd.duties import DUTY_LEASE, Chore, Duties
from media_nommer.feederd.janitor import Janitor
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.feederd.reaper import Reaper
from media_nommer.feederd.running import Loop
from media_nommer.feederd.scaler import Scaler
from media_nommer.feederd.watching import MachineWatch

SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often feederd does what. ``look`` is at the backlog and the nodes; it is
    ``quiet`` while nothing goes on.

    A submission wakes the scaler; between two of them, looks are what an idle day costs.
    """

    look: timedelta
    quiet: timedelta
    put_again: timedelta
    deadlines: timedelta

    @classmethod
    def of(
        cls, settings: Settings, put_again_after: timedelta, fleet_every: timedelta
    ) -> "Pace":
        """Return the pace of an engine whose fleet is looked at no more often than said."""
        paid = settings.costs_by_the_call
        look = max(15 * SECOND if paid else SECOND, fleet_every)
        put_again = min(max(put_again_after / 4, SECOND), 30 * SECOND)
        # Without a timeout only jobs of before, when there was one, have deadlines.
        deadlines = 5 * SECOND if settings.job_timeout else _MINUTE
        return cls(
            look=look,
            quiet=max(look, _MINUTE) if paid else look,
            put_again=max(put_again, put_again_after / 2) if paid else put_again,
            deadlines=deadlines * 10 if paid else deadlines,
        )


class Household:
    """Everything that feederd does by itself, each in a loop of its own."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        parts: wiring.FleetParts | None,
        scaler: Scaler | None,
        duties: Duties,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._parts = parts
        self._work = wiring.work_policy(settings)
        fleet_every = timedelta() if parts is None else parts.look_every
        self._pace = Pace.of(settings, self._work.put_again_after, fleet_every)
        chores = [*self._janitors(), *self._scalers(scaler), *self._reapers()]
        self._loops = {chore.name: Loop(chore, duties) for chore in chores}
        self._duties = duties

    def start(self) -> None:
        """Begin all loops."""
        for loop in self._loops.values():
            loop.start()

    def end(self) -> None:
        """End all loops, and give up the duties to another feederd."""
        for loop in self._loops.values():
            loop.stop()
        for loop in self._loops.values():
            loop.join(10)
        self._duties.release()

    def there_is_work(self) -> None:
        """Let the scaler look now."""
        self._wake("scaling")

    def _wake(self, name: str) -> None:
        if name in self._loops:
            self._loops[name].wake()

    @property
    def _policy(self) -> JanitorPolicy:
        settings, parts = self._settings, self._parts
        forever = settings.keep_jobs_for == FOREVER
        return replace(
            JanitorPolicy() if parts is None else parts.patience,
            look_every=self._pace.quiet,
            keep_logs_for=settings.keep_logs_for,
            keep_ledger_for=None if forever else settings.keep_jobs_for,
        )

    def _janitors(self) -> Iterator[Chore]:
        janitor = Janitor(self._engine, self._work, self._policy)
        pace = self._pace
        yield Chore("putting-again", "janitor", pace.put_again, janitor.put_again)
        yield Chore("deadlines", "janitor", pace.deadlines, janitor.end_overdue)
        yield Chore("tidying", "janitor", 10 * _MINUTE, janitor.tidy)
        if self._settings.keep_jobs_for != FOREVER:
            archivist = Archivist(self._engine, self._settings.keep_jobs_for)
            yield Chore("archiving", "janitor", _MINUTE, archivist.step)

    def _scalers(self, scaler: Scaler | None) -> Iterator[Chore]:
        if scaler is None:
            return

        def scale() -> None:
            if scaler.step():
                self._wake("watching")

        yield Chore(
            "scaling",
            "scaler",
            self._pace.look,
            scale,
            quiet=lambda: scaler.quiet,
            quiet_every=self._pace.quiet,
        )

    def _reapers(self) -> Iterator[Chore]:
        fleet = None if self._parts is None else self._parts.fleet
        reaper = Reaper(
            self._engine, fleet, self._work, self._policy, on_change=self.there_is_work
        )
        yield Chore(
            "reaping",
            "reaper",
            self._pace.look,
            reaper.step,
            quiet=lambda: reaper.quiet,
            quiet_every=self._pace.quiet,
        )
        if fleet is None or self._pace.look <= SECOND:
            return
        watch = MachineWatch(fleet, on_end=lambda: self._wake("reaping"))
        yield Chore(
            "watching",
            "reaper",
            SECOND / 2,
            watch.step,
            quiet=lambda: watch.quiet,
            quiet_every=self._pace.quiet,
        )


def duty_lease(settings: Settings) -> timedelta:
    """Return how long a duty outlives its holder.

    It is shown three times a lease, by chores that may rest for a minute.
    """
    return 12 * DUTY_LEASE if settings.costs_by_the_call else DUTY_LEASE
