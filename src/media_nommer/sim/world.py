"""A world of processes that take turns: every call to a port is a place where one may die.

Real code runs unchanged. Each thread of a simulated process is a greenlet; each port call
gives the turn away first, so a seed decides in which order the effects of all processes
happen, who dies before which of them, and who is stopped for how long.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import greenlet

from media_nommer.testing.clock import ManualClock


class Killed(BaseException):
    """Thrown into the threads of a process that dies; nothing may catch it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """How likely things are to go wrong, each per port call unless it says otherwise.

    All stop after ``until`` of simulated time, so that a run that is not stuck comes to its
    end; a process is frozen for up to ``longest_freeze``.
    """

    crash: float = 0.008
    freeze: float = 0.004
    #: A call that fails: half of these fail after they took effect.
    outage: float = 0.003
    lose_message: float = 0.05
    repeat_message: float = 0.05
    delay_message: float = 0.05
    #: Per encode.
    encoder_crash: float = 0.05
    until: timedelta = timedelta(minutes=8)
    longest_freeze: timedelta = timedelta(seconds=120)


#: Nothing goes wrong.
CALM = Faults(until=timedelta())


@dataclass(eq=False, slots=True)
class Process:
    """Threads that live and die together."""

    name: str
    dead: bool = False
    frozen_until: float = 0.0
    threads: set["Thread"] = field(default_factory=set)


@dataclass(eq=False, slots=True)
class Thread:
    """One thread of a process: a greenlet, and when it wants to run again."""

    process: Process
    body: greenlet.greenlet
    wakes_at: float = 0.0


class World:
    """Runs threads one port call at a time, in an order and with faults set by a seed."""

    def __init__(self, seed: int, faults: Faults) -> None:
        self.dice = random.Random(seed)
        self.clock = ManualClock()
        self.faults = faults
        self.crashes = 0
        self.calls = 0
        self._hub = greenlet.getcurrent()
        self._threads: list[Thread] = []
        self._current: Thread | None = None
        self._faults_until = faults.until.total_seconds()

    @property
    def troubled(self) -> bool:
        """Whether things still go wrong."""
        return self.clock.monotonic() < self._faults_until

    @property
    def current(self) -> Process:
        """The process whose turn it is."""
        assert self._current is not None, "only a thread has a process"
        return self._current.process

    def start(self, process: Process, run: Callable[[], None]) -> None:
        """Add a thread to a process."""
        thread = Thread(process, greenlet.greenlet(lambda: self._live(run), self._hub))
        process.threads.add(thread)
        self._threads.append(thread)

    def kill(self, process: Process) -> None:
        """End a process as SIGKILL does: none of its threads makes another call."""
        process.dead = True
        self.crashes += 1
        for thread in list(process.threads):
            if thread is not self._current and thread.body:
                self._bury(thread)
        self._threads = [t for t in self._threads if t.process is not process]
        process.threads.clear()

    def turn(self) -> None:
        """Give the turn away; called before each effect on the world outside a process."""
        thread = self._current
        if thread is None:
            return  # a look from outside the simulation
        self.calls += 1
        if thread.process.dead:
            raise Killed
        if self.troubled:
            self._misfortune(thread.process)
        self._hub.switch()
        if thread.process.dead:
            raise Killed

    def sleep(self, period: timedelta) -> None:
        """Let the present thread rest for a period."""
        assert self._current is not None, "only a thread sleeps"
        self._current.wakes_at = self.clock.monotonic() + period.total_seconds()
        self.turn()

    def chance(self, likelihood: float) -> bool:
        """Return whether something that goes wrong this often does so now."""
        return self.troubled and self.dice.random() < likelihood

    def run(self, done: Callable[[], bool], limit: timedelta) -> bool:
        """Let all take turns until ``done``; return whether it came within ``limit``."""
        end = self.clock.monotonic() + limit.total_seconds()
        while not done():
            if self.clock.monotonic() > end or not self._threads:
                return False
            self._give_turn(self._next())
        return True

    def end(self) -> None:
        """Take everything down."""
        for process in {thread.process for thread in self._threads}:
            self.kill(process)

    def _next(self) -> Thread:
        now = self.clock.monotonic()
        ready = [t for t in self._threads if _free_at(t) <= now]
        if not ready:
            soonest = min(_free_at(t) for t in self._threads)
            self.clock.advance(timedelta(seconds=soonest - now))
            ready = [t for t in self._threads if _free_at(t) <= soonest]
        return ready[int(self.dice.random() * len(ready))]

    def _give_turn(self, thread: Thread) -> None:
        self._current = thread
        try:
            thread.body.switch()
        finally:
            self._current = None
        if thread.body.dead and thread in thread.process.threads:
            thread.process.threads.discard(thread)
            self._threads.remove(thread)

    def _live(self, run: Callable[[], None]) -> None:
        try:
            run()
        except Killed:
            return

    def _bury(self, thread: Thread) -> None:
        """Unwind a dead thread's stack; each port call on its way out is refused."""
        before, self._current = self._current, thread
        thread.body.parent = greenlet.getcurrent()
        try:
            thread.body.throw(Killed)
        finally:
            self._current = before

    def _misfortune(self, process: Process) -> None:
        if self.dice.random() < self.faults.crash:
            self.kill(process)
            raise Killed
        if self.dice.random() < self.faults.freeze:
            span = self.dice.random() * self.faults.longest_freeze.total_seconds()
            process.frozen_until = self.clock.monotonic() + span


def _free_at(thread: Thread) -> float:
    return max(thread.wakes_at, thread.process.frozen_until)
