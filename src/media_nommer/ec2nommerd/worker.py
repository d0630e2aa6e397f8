"""The worker: takes deliveries, runs attempts in its slots, and shows that it lives."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from threading import Lock

import structlog

from media_nommer.core.errors import HandedBack, LeaseLost, NommerError
from media_nommer.core.nodes import Machine, NodeId
from media_nommer.core.ports.queue import Delivery, GiveUp, never_give_up
from media_nommer.core.workflow.claims import HeldTask, Watched, receive
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.core.workflow.metering import Meter
from media_nommer.core.workflow.watch import BeatWatch
from media_nommer.ec2nommerd.attempts import AttemptRunner

log = structlog.get_logger(__name__)

#: Runs a function beside the caller: a thread in the daemon.
Spawn = Callable[[Callable[[], None]], None]


class Worker:
    """Fills its slots with tasks. ``tick`` and ``beat`` are called by loops of the daemon.

    A delivery of a task that another owns is kept and looked at again, without a slot,
    until its owner is seen to live or has been silent for a whole lease.
    """

    def __init__(
        self,
        engine: Engine,
        policy: WorkPolicy,
        runner: AttemptRunner,
        *,
        node: NodeId,
        slots: int,
        spawn: Spawn,
        on_free: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._policy = policy
        self._runner = runner
        self._node = node
        self._slots = slots
        self._spawn = spawn
        self._on_free = on_free
        self._watch = BeatWatch(engine.clock)
        self._meter = Meter(engine.clock)
        self._watched: dict[str, tuple[Delivery, float]] = {}
        self._held: dict[str, HeldTask] = {}
        self._lock = Lock()
        self._draining = False
        self._last_busy = engine.clock.monotonic()

    @property
    def busy(self) -> int:
        """How many tasks are being worked on."""
        return len(self._held)

    @property
    def at_work(self) -> tuple[HeldTask, ...]:
        """The claims that are being worked on."""
        return tuple(self._all_held())

    @property
    def worked(self) -> float:
        """Seconds of the node that attempts have on record."""
        return self._meter.worked

    @property
    def idle_for(self) -> timedelta:
        """How long nothing has been worked on; to watch another's task is not work."""
        if self._held:
            self._last_busy = self._engine.clock.monotonic()
        return timedelta(seconds=self._engine.clock.monotonic() - self._last_busy)

    def tick(
        self, *, wait: timedelta = timedelta(), give_up: GiveUp = never_give_up
    ) -> bool:
        """Begin what can be begun; return whether anything was.

        Where nothing can, a queue that lets one wait is waited at for so long.
        """
        begun = self._look_again()
        while self._has_room():
            delivery = self._engine.queue.take(
                self._policy.lease,
                wait=timedelta() if begun else min(wait, self._next_look()),
                give_up=give_up,
            )
            if delivery is None:
                break
            begun = True
            self._consider(delivery)
        return begun

    def beat(self) -> None:
        """Keep every claim, and tell those whose work is not wanted any more to drop it.

        A store or queue that does not answer changes nothing: only a newer claim ends ours.
        """
        for held in self._all_held():
            try:
                held.beat()
            except NommerError as error:
                log.warning("beat_missed", task=held.task.id, message=error.message)
        for delivery, _due in list(self._watched.values()):
            self._hide(delivery)

    def runs_on(self, machine: Machine, *, kind: str) -> None:
        """Tell what the node runs on, as far as it is known now; attempts write it down."""
        self._meter.runs_on(machine, kind=kind)

    def drain(self) -> None:
        """Take nothing more."""
        self._draining = True

    def hand_back(self, why: HandedBack | None = None) -> None:
        """Stop what is being worked on, so that other workers get it now."""
        for held in self._all_held():
            held.stop(why or HandedBack("the worker is leaving"))

    def _has_room(self) -> bool:
        return not self._draining and len(self._held) < self._slots

    def _next_look(self) -> timedelta:
        """Return how long it is until a delivery that is watched wants a look."""
        now = self._engine.clock.monotonic()
        due = [at - now for _, at in list(self._watched.values())]
        return timedelta(seconds=max(0.0, min(due))) if due else timedelta.max

    def _look_again(self) -> bool:
        """Look at the deliveries being watched whose time has come.

        What there is no room for goes to other workers.
        """
        now, looked = self._engine.clock.monotonic(), False
        for delivery in [d for d, at in list(self._watched.values()) if at <= now]:
            if self._watched.pop(delivery.token, None) is None:
                continue
            if self._has_room():
                looked = True
                self._consider(delivery, again=True)
            else:
                with suppress(LeaseLost):
                    self._engine.queue.keep(delivery, timedelta())
        return looked

    def _consider(self, delivery: Delivery, *, again: bool = False) -> None:
        """Begin the task of a delivery, or watch its owner: once, for a lease."""
        found = receive(
            self._engine,
            self._watch,
            delivery,
            node=self._node,
            lease=self._policy.lease,
            share=self._meter.nothing,
        )
        if isinstance(found, HeldTask):
            self._begin(found)
        elif isinstance(found, Watched):
            lives = again and found.wait > self._policy.beat_every
            if not lives:
                due = self._engine.clock.monotonic() + found.wait.total_seconds()
                self._watched[delivery.token] = (delivery, due)
            self._hide(delivery)

    def _begin(self, held: HeldTask) -> None:
        key = f"{held.task.id}.{held.number}"
        held.stint = stint = self._meter.begin()
        with self._lock:
            self._held[key] = held

        def work() -> None:
            try:
                self._runner.run(held)
            finally:
                stint.end()
                with self._lock:
                    self._held.pop(key, None)
                self._last_busy = self._engine.clock.monotonic()
                self._on_free()

        self._spawn(work)

    def _hide(self, delivery: Delivery) -> None:
        """Keep a watched delivery ours; where it is lost, so is the reason to watch."""
        try:
            self._engine.queue.keep(delivery, self._policy.lease)
        except NommerError:
            self._watched.pop(delivery.token, None)

    def _all_held(self) -> list[HeldTask]:
        with self._lock:
            return list(self._held.values())
