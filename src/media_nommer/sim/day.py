"""A day of films with bursts, under each policy: what it costs, and how long films wait.

``python -m media_nommer.sim.day --seed 1`` prints the table.
"""

import argparse
import math
import random
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from heapq import heappop, heappush
from itertools import count

from media_nommer.planning.fleet.estimates import Traits
from media_nommer.planning.fleet.scaling import Limits, NodeKind
from media_nommer.sim.policies import Keda, Ours, Policy, Sight, TargetTracking

HOUR = 3600.0
DAY = 24 * HOUR

#: A node as measured: up after 26 s and more, billed for 60 s at least, by the second.
KIND = NodeKind(
    name="node",
    slots=4,
    price=0.58,
    boot=timedelta(seconds=30),
    idle=timedelta(seconds=60),
    billed_at_least=timedelta(seconds=60),
)
LIMITS = Limits(max_nodes=20)

#: Presets with the seconds that their films take in the middle, and how common they are.
_PRESETS = {"thumbs": (8.0, 3), "web": (120.0, 6), "ladder": (600.0, 1)}
#: How much films of a preset differ: the standard deviation of the logarithm.
_SPREAD = 0.6
_BURSTS = 8

#: How long a node that stays although it is idle waits until it looks again.
_STAYS_FOR = 5.0
#: Where no node may be started, the films of the day are never done.
_GIVEN_UP_AFTER = 3 * DAY


@dataclass(frozen=True, slots=True)
class Film:
    """A film that is submitted at ``at`` and takes ``seconds`` of a slot."""

    at: float
    traits: Traits
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a day. Shares are of the node seconds that were paid.

    Waits are from submission to the beginning, in seconds. ``boot`` and ``idle`` are those
    in which a node works on nothing; ``slots_used`` is the share of its slots that work.
    """

    policy: str
    cost: float
    wait_p50: float
    wait_p95: float
    boot: float
    idle: float
    slots_used: float
    most_nodes: int
    launches: int
    films: int


def films_of_a_day(seed: int) -> tuple[Film, ...]:
    """Return the films of a day: few at night, more by day, and bursts at any time."""
    dice = random.Random(seed)
    times = [
        hour * HOUR + dice.random() * HOUR
        for hour in range(24)
        for _ in range(int(dice.gauss(60 if 8 <= hour < 20 else 12, 5)))
    ]
    for _ in range(_BURSTS):
        begin = dice.random() * (DAY - HOUR)
        times += [begin + dice.random() * 120 for _ in range(dice.randint(30, 150))]
    return tuple(_film(at, dice) for at in sorted(times))


def _film(at: float, dice: random.Random) -> Film:
    weights = [common for _, common in _PRESETS.values()]
    preset = dice.choices(list(_PRESETS), weights)[0]
    seconds = _PRESETS[preset][0] * math.exp(dice.gauss(0, _SPREAD))
    return Film(at, ("encode", preset), seconds)


@dataclass(eq=False, slots=True)
class _Machine:
    """One node of the simulated fleet; it is busy while ``working`` is not empty."""

    number: int
    asked_at: float
    up_at: float
    up: bool = False
    draining: bool = False
    ended_at: float | None = None
    free_since: float = 0.0
    busy_for: float = 0.0
    busy_since: float = 0.0
    working: dict[Film, float] = field(default_factory=dict)


class Day:
    """One day under one policy; the queue is first come, first served."""

    def __init__(
        self, films: Sequence[Film], policy: Policy, kind: NodeKind, *, seed: int
    ) -> None:
        self._films = films
        self._policy = policy
        self._kind = kind
        self._dice = random.Random(seed)
        self._now = 0.0
        self._order = count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._queue: deque[Film] = deque()
        self._machines: list[_Machine] = []
        self._ended: list[_Machine] = []
        self._waits: list[float] = []
        self._to_do = len(films)
        self._most = 0

    def run(self) -> Outcome:
        """Let the day pass, until the last film is done and the last node has ended."""
        for film in self._films:
            self._at(film.at, lambda film=film: self._arrive(film))  # type: ignore[misc]
        self._at(0.0, self._tick)
        while self._events:
            self._now, _, happen = heappop(self._events)
            happen()
        return self._outcome()

    def _at(self, when: float, happen: Callable[[], None]) -> None:
        heappush(self._events, (when, next(self._order), happen))

    def _over(self) -> bool:
        done = not self._to_do or self._now >= _GIVEN_UP_AFTER
        return self._now >= DAY and done

    def _tick(self) -> None:
        if self._over():
            for machine in list(self._machines):
                self._end(machine)
            return
        self._ask_policy()
        self._at(self._now + self._policy.every, self._tick)

    def _arrive(self, film: Film) -> None:
        self._queue.append(film)
        self._hand_out()
        if self._policy.is_woken:
            self._ask_policy()

    def _ask_policy(self) -> None:
        change = self._policy.change(self._sight())
        for _ in range(change):
            self._launch()
        # Generous to those that shrink: the idle go first, and no work is cut short.
        serving = [m for m in self._machines if not m.draining]
        for machine in sorted(serving, key=lambda m: len(m.working))[: max(-change, 0)]:
            machine.draining = True
            self._end_if_drained(machine)

    def _sight(self) -> Sight:
        serving = [m for m in self._machines if not m.draining]
        return Sight(
            now=self._now,
            waiting=[film.traits for film in self._queue],
            working=[
                (film.traits, self._now - since, (self._now - since) / film.seconds)
                for machine in serving
                for film, since in machine.working.items()
            ],
            launching=[self._now - m.asked_at for m in serving if not m.up],
            running=sum(m.up for m in serving),
            draining=len(self._machines) - len(serving),
        )

    def _launch(self) -> None:
        boots_for = 26.0 + self._dice.random() * 20.0
        machine = _Machine(next(self._order), self._now, self._now + boots_for)
        self._machines.append(machine)
        self._most = max(self._most, len(self._machines))
        self._at(machine.up_at, lambda: self._come_up(machine))

    def _come_up(self, machine: _Machine) -> None:
        if machine.ended_at is not None:
            return
        machine.up = True
        machine.free_since = self._now
        self._hand_out()
        self._look_idle(machine)

    def _hand_out(self) -> None:
        """Give each film to any node that has a slot: they all ask the queue alike."""
        while self._queue:
            free = [m for m in self._machines if self._takes(m)]
            if not free:
                return
            self._begin(self._dice.choice(free), self._queue.popleft())

    def _takes(self, machine: _Machine) -> bool:
        has_slot = len(machine.working) < self._kind.slots
        return machine.up and not machine.draining and has_slot

    def _begin(self, machine: _Machine, film: Film) -> None:
        if not machine.working:
            machine.busy_since = self._now
        machine.working[film] = self._now
        self._waits.append(self._now - film.at)
        self._at(self._now + film.seconds, lambda: self._finish(machine, film))

    def _finish(self, machine: _Machine, film: Film) -> None:
        del machine.working[film]
        self._to_do -= 1
        self._policy.finished(film.traits, film.seconds)
        self._hand_out()
        if not machine.working:
            machine.busy_for += self._now - machine.busy_since
            machine.free_since = self._now
            self._look_idle(machine)
            self._end_if_drained(machine)

    def _look_idle(self, machine: _Machine) -> None:
        """See to it that an idle node ends itself, by the rule of ec2nommerd (rule 5)."""
        if self._policy.end_themselves and not machine.working:
            idle = self._kind.idle.total_seconds()
            self._at(machine.free_since + idle, lambda: self._leave(machine))

    def _leave(self, machine: _Machine) -> None:
        idle_for = self._now - machine.free_since
        if machine.ended_at is not None or machine.working:
            return
        if idle_for < self._kind.idle.total_seconds():
            return  # it has worked meanwhile, and is looked at again
        older = sum(other.number < machine.number for other in self._machines)
        if older < (self._policy.least or self._unfinished()) and not self._over():
            self._at(self._now + _STAYS_FOR, lambda: self._leave(machine))
            return
        self._end(machine)

    def _unfinished(self) -> bool:
        """Whether something that was submitted is not done yet."""
        return bool(self._queue) or any(m.working for m in self._machines)

    def _end_if_drained(self, machine: _Machine) -> None:
        if machine.draining and not machine.working:
            self._end(machine)

    def _end(self, machine: _Machine) -> None:
        if machine.ended_at is None:
            machine.ended_at = self._now
            self._machines.remove(machine)
            self._ended.append(machine)

    def _outcome(self) -> Outcome:
        least = self._kind.billed_at_least.total_seconds()
        lives = [(m.ended_at or self._now) - m.asked_at for m in self._ended]
        paid = sum(max(life, least) for life in lives)
        boot = sum(min(m.up_at, m.ended_at or m.up_at) - m.asked_at for m in self._ended)
        busy = sum(m.busy_for for m in self._ended)
        work = sum(film.seconds for film in self._films)
        waits = sorted(self._waits)
        return Outcome(
            policy=self._policy.name,
            cost=paid * self._kind.price / HOUR,
            wait_p50=waits[len(waits) // 2] if waits else math.inf,
            wait_p95=waits[len(waits) * 95 // 100] if waits else math.inf,
            boot=boot / paid if paid else 0.0,
            idle=(paid - boot - busy) / paid if paid else 0.0,
            slots_used=work / (paid * self._kind.slots) if paid else 0.0,
            most_nodes=self._most,
            launches=len(self._ended),
            films=len(waits),
        )


def policies(kind: NodeKind, limits: Limits, films: Sequence[Film]) -> tuple[Policy, ...]:
    """Return ours and the two others, with the same limit on nodes.

    Target tracking is told what the films of this very day take on average, which nobody
    knows in the morning, and to let them wait for 2 minutes.
    """
    mean = sum(film.seconds for film in films) / len(films) / kind.slots
    return (
        Ours(kind, limits),
        TargetTracking(limits.max_nodes, wait=120.0, seconds_a_message=mean),
        Keda(limits.max_nodes),
    )


def simulate_ours(seed: int, kind: NodeKind = KIND, limits: Limits = LIMITS) -> Outcome:
    """Return what comes of a day under our policy alone."""
    return Day(films_of_a_day(seed), Ours(kind, limits), kind, seed=seed).run()


def simulate_day(
    seed: int, kind: NodeKind = KIND, limits: Limits = LIMITS
) -> tuple[Outcome, ...]:
    """Return what comes of the same day under each policy; ours is the first."""
    films = films_of_a_day(seed)
    return tuple(
        Day(films, policy, kind, seed=seed).run()
        for policy in policies(kind, limits, films)
    )


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as a table for people."""
    head = ("policy", "cost", "wait p50", "p95", "boot", "idle", "slots", "most", "starts")
    rows = [head]
    rows += [
        (
            out.policy,
            f"{out.cost:.2f}",
            f"{out.wait_p50:.0f} s",
            f"{out.wait_p95:.0f} s",
            f"{out.boot:.1%}",
            f"{out.idle:.1%}",
            f"{out.slots_used:.1%}",
            f"{out.most_nodes}",
            f"{out.launches}",
        )
        for out in outcomes
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table of one day; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m media_nommer.sim.day")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--max-nodes", type=int, default=LIMITS.max_nodes)
    parser.add_argument("--idle", type=float, default=KIND.idle.total_seconds())
    said = parser.parse_args(argv)
    films = films_of_a_day(said.seed)
    work = sum(film.seconds for film in films)
    kind = replace(KIND, idle=timedelta(seconds=said.idle))
    outcomes = simulate_day(said.seed, kind, Limits(max_nodes=said.max_nodes))
    bare = work / KIND.slots * KIND.price / HOUR
    sys.stdout.write(
        f"seed {said.seed}: {len(films)} films, {work / HOUR:.1f} slot hours of work: "
        f"{bare:.2f} on nodes that are always full\n{table(outcomes)}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
