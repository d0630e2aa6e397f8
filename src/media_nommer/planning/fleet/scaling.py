"""How many nodes of what kind to start now: a function of what is known and allowed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from media_nommer.core.nodes import NodeState
from media_nommer.core.schedule import Window, window_at
from media_nommer.planning.fleet.layout import Layout, Slot

#: The states in which a node takes tasks, or will.
SERVING = frozenset({NodeState.LAUNCHING, NodeState.RUNNING})

#: So many of the last boots tell how long the next one takes; one is no boot beyond a time.
_BOOTS = 9
_LONGEST_BOOT = timedelta(minutes=30)

#: Prices are sums of floats: a limit that is met to a millionth of a cent is met.
_ROUNDING = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeKind:
    """A kind of node that can be started.

    ``speed`` is how many work seconds one of its slots does in a second: a second of work
    is what a slot of speed 1 does in one. ``price`` is for an hour, in the currency of the
    limits. It is paid from the start of ``boot`` on, for ``idle`` after its last task, and
    never for less than ``billed_at_least``.
    """

    name: str
    slots: int = 1
    speed: float = 1.0
    price: float = 0.0
    #: Whether the price is known; one that is not counts as nothing.
    priced: bool = True
    boot: timedelta = timedelta(seconds=1)
    idle: timedelta = timedelta()
    billed_at_least: timedelta = timedelta()

    @property
    def overhead(self) -> float:
        """Seconds that are paid for nothing each time that one is started."""
        return max(self.boot + self.idle, self.billed_at_least).total_seconds()

    def cost_of(self, work: float, longest: float) -> float:
        """Return what ``work`` seconds cost on a new one, where one task is so long."""
        busy = max(work / self.slots, longest) / self.speed
        paid = self.boot.total_seconds() + busy + self.idle.total_seconds()
        return self.price / 3600 * max(paid, self.billed_at_least.total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the operator allows. Field names are those of the settings.

    ``max_nodes`` and ``max_hourly_cost`` count every node that exists or was asked for,
    draining ones too. ``jobs_per_node`` (None: the slots of a node) is how many tasks a
    node is to have before there is another; ``overflow_threshold`` more wait rather than
    have one started for them, unless no node is there. A job is one task unless it was cut.
    """

    on: bool = True
    min_nodes: int = 0
    max_nodes: int = 1
    max_hourly_cost: float | None = None
    jobs_per_node: int | None = None
    overflow_threshold: int = 0
    schedule: tuple[Window, ...] = ()
    #: How long the next launch waits after one that came to nothing; then twice as long.
    relaunch_after: timedelta = timedelta(seconds=1)
    relaunch_limit: timedelta = timedelta(minutes=5)

    def at(self, now: datetime) -> "Limits":
        """Return the limits in force at an aware time, by the first window that is open."""
        window = window_at(self.schedule, now)
        if window is None:
            return self
        most = self.max_nodes if window.max_nodes is None else window.max_nodes
        least = self.min_nodes if window.min_nodes is None else window.min_nodes
        return replace(
            self,
            on=self.on and not window.off,
            min_nodes=min(least, most),
            max_nodes=most,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetNode:
    """A node that is there, or was asked for ``age`` ago.

    ``slots`` 0 and ``price`` None are those of its kind. One that is not ``ours`` was
    started by somebody else: it takes work, and no place.
    """

    kind: str
    state: NodeState = NodeState.RUNNING
    age: timedelta = timedelta()
    slots: int = 0
    price: float | None = None
    ours: bool = True


@dataclass(frozen=True, slots=True)
class FailedLaunches:
    """How many launches of a kind in a row came to nothing, and the last: when and why."""

    count: int
    since_last: timedelta
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetView:
    """What is known at one moment.

    ``waiting`` are the tasks that nobody works on, in work seconds each, in the order that
    they will be taken; ``working`` what is left of the others, in seconds.
    """

    nodes: tuple[FleetNode, ...] = ()
    waiting: tuple[float, ...] = ()
    working: tuple[float, ...] = ()
    failed: Mapping[str, FailedLaunches] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """The kinds of the nodes to start now, one each, and why so many, in a sentence.

    ``held_back_by`` names the limit that kept it from more, empty where none did.
    """

    launches: tuple[str, ...]
    reason: str
    held_back_by: str = ""


def decide(view: FleetView, limits: Limits, kinds: Sequence[NodeKind]) -> Decision:
    """Return what to start now, of ``kinds``, within the limits in force.

    ``min_nodes`` come first. Then the tasks are laid out, in their order, on the slots that
    there are and will be, and again with a node more: it is started if they all begin
    sooner by as many seconds as it is paid for nothing (its ``overhead``). With it they are
    laid out anew, until one more is not worth it. So none is started that would find
    nothing to do, what was decided is not decided again while it comes up, and where one
    kind is on offer more tasks never mean fewer.
    """
    if not kinds:
        return Decision((), "none: no kind of node is on offer")
    plan = _Plan(view, limits, kinds)
    plan.keep_least()
    if limits.on:
        plan.serve_waiting()
    return plan.decision()


def wait_after(failed_launches: int, limits: Limits) -> timedelta:
    """Return how long to wait after so many launches in a row that came to nothing."""
    doublings = min(max(failed_launches, 1) - 1, 30)
    return min(limits.relaunch_after * (1 << doublings), limits.relaunch_limit)


def usual_boot(boots: Sequence[timedelta], otherwise: timedelta) -> timedelta:
    """Return how long the next boot will take, as the last ones of ``boots`` did.

    Clocks of two machines may tell nonsense together, which is left out.
    """
    sane = [boot for boot in boots if timedelta() < boot < _LONGEST_BOOT]
    last = sorted(sane[-_BOOTS:])
    return last[len(last) // 2] if last else otherwise


def hourly_cost(nodes: Sequence[FleetNode], kinds: Sequence[NodeKind]) -> float:
    """Return what our nodes cost an hour; one of an unknown kind costs as the dearest."""
    prices = {kind.name: kind.price for kind in kinds}
    dearest = max(prices.values(), default=0.0)
    return sum(
        prices.get(node.kind, dearest) if node.price is None else node.price
        for node in nodes
        if node.ours
    )


def within(nodes: Sequence[FleetNode], limits: Limits, kinds: Sequence[NodeKind]) -> bool:
    """Return whether the nodes that there are cross neither the number nor the cost."""
    ours = sum(node.ours for node in nodes)
    most = limits.max_hourly_cost
    affordable = most is None or hourly_cost(nodes, kinds) <= most + _ROUNDING
    return ours <= limits.max_nodes and affordable


class _Plan:
    """The fleet as it will be, while nodes are added to it."""

    def __init__(self, view: FleetView, limits: Limits, kinds: Sequence[NodeKind]) -> None:
        self._view = view
        self._limits = limits
        self._kinds = {kind.name: kind for kind in kinds}
        self._serving = [node for node in view.nodes if node.state in SERVING]
        self._ours = sum(node.ours for node in view.nodes)
        self._cost = hourly_cost(view.nodes, kinds)
        self._share = sum(self._share_of(node.kind, node.slots) for node in self._serving)
        self._launches: list[str] = []
        self._held_back_by = ""
        self._layout = Layout(self._slots_there(), view.waiting)

    def keep_least(self) -> None:
        """Add nodes until there are as many as always shall be."""
        serving = sum(node.ours for node in self._serving)
        for _ in range(self._limits.min_nodes - serving):
            kind, obstacle = self._choose(0.0, 0.0)
            if obstacle:
                self._held_back_by = obstacle
                return
            self._add(kind)

    def serve_waiting(self) -> None:
        """Add nodes as long as the waiting that one saves is worth its overhead."""
        while (found := self._first_late()) is not None:
            kind, obstacle = found
            if not self._saves_enough(kind):
                return
            self._held_back_by = obstacle or self._enough()
            if self._held_back_by:
                return
            self._add(kind)

    def decision(self) -> Decision:
        """Return what came of it."""
        if self._launches:
            text = self._why_launched()
        elif self._held_back_by:
            text = f"none: {self._obstacle()}"
        elif not self._limits.on:
            text = "none: scaling is off, and min_nodes are there"
        elif self._view.waiting:
            text = f"none: no task will wait longer than {max(self._layout):.0f} s"
        else:
            text = "none: nothing waits"
        return Decision(tuple(self._launches), text, self._held_back_by)

    def _first_late(self) -> tuple[NodeKind, str] | None:
        """Return the kind on which the first task that is late would not be.

        It is the cheapest for that task and all behind it. With it comes what forbids to
        start one; None is where no task is late.
        """
        left = sum(self._view.waiting)
        for work, begins in zip(self._view.waiting, self._layout, strict=True):
            if begins > 0:
                kind, obstacle = self._choose(left, work)
                if begins > kind.boot.total_seconds():
                    return kind, obstacle
            left -= work
        return None

    def _saves_enough(self, kind: NodeKind) -> bool:
        """Return whether tasks begin sooner on one more node by what it is paid for."""
        saved = 0.0
        more = self._layout.with_more(self._slots_of_new(kind))
        for now, then in zip(self._layout, more, strict=True):
            saved += max(now - then, 0.0)  # with slow slots another one may be in the way
            if saved > 0 and saved >= kind.overhead:
                return True
        return False

    def _slots_there(self) -> list[Slot]:
        """Return the slots of the nodes that serve."""
        free, coming = [], []
        for node in self._serving:
            kind = self._kinds.get(node.kind)
            speed = kind.speed if kind else 1.0
            count = self._slots_of(node.kind, node.slots)
            if node.state is NodeState.RUNNING:
                free += [speed] * count
            else:
                left = (kind.boot - node.age if kind else timedelta()).total_seconds()
                coming += [Slot(max(left, 0.0), speed)] * count
        busy = sorted(self._view.working, reverse=True)[: len(free)]
        busy += [0.0] * (len(free) - len(busy))
        return [*map(Slot, busy, free), *coming]

    def _slots_of_new(self, kind: NodeKind) -> list[Slot]:
        """Return the slots of a node that is started now."""
        count = self._slots_of(kind.name, kind.slots)
        return [Slot(kind.boot.total_seconds(), kind.speed)] * count

    def _slots_of(self, kind: str, slots: int) -> int:
        """Return how many tasks at once we count on a node for."""
        known = self._kinds.get(kind)
        count = slots or (known.slots if known else 1)
        return min(count, self._limits.jobs_per_node or count)

    def _share_of(self, kind: str, slots: int) -> int:
        """Return how many tasks a node is to have before there is another."""
        return self._limits.jobs_per_node or self._slots_of(kind, slots)

    def _enough(self) -> str:
        """Return the limit by which the nodes so far have to do for all tasks, if any."""
        tasks = len(self._view.waiting) + len(self._view.working)
        if tasks <= self._share:
            return "jobs_per_node"
        spared = self._limits.overflow_threshold if self._layout else 0
        return "overflow_threshold" if tasks - self._share <= spared else ""

    def _choose(self, work: float, longest: float) -> tuple[NodeKind, str]:
        """Return the kind that does ``work`` for least, and what forbids to start it."""
        obstacle = "max_nodes" if self._ours >= self._limits.max_nodes else ""
        affordable = [kind for kind in self._kinds.values() if self._affords(kind)]
        sound = [kind for kind in affordable if self._may_launch(kind.name)]
        if not sound:
            obstacle = obstacle or ("failed launches" if affordable else "max_hourly_cost")
        cheapest = min(
            sound or self._kinds.values(),
            key=lambda k: (k.cost_of(work, longest), k.boot, -k.slots * k.speed, k.name),
        )
        return cheapest, obstacle

    def _affords(self, kind: NodeKind) -> bool:
        most = self._limits.max_hourly_cost
        return most is None or self._cost + kind.price <= most + _ROUNDING

    def _may_launch(self, kind: str) -> bool:
        """Return whether launches of a kind do well, or it is time to try one again."""
        failed = self._view.failed.get(kind)
        if failed is None or not failed.count:
            return True
        trying = kind in self._launches or any(
            node.kind == kind and node.state is NodeState.LAUNCHING and node.ours
            for node in self._view.nodes
        )
        return not trying and failed.since_last >= wait_after(failed.count, self._limits)

    def _add(self, kind: NodeKind) -> None:
        self._launches.append(kind.name)
        self._ours += 1
        self._cost += kind.price
        self._share += self._share_of(kind.name, kind.slots)
        self._layout = self._layout.with_more(self._slots_of_new(kind))

    def _why_launched(self) -> str:
        count = Counter(self._launches)
        nodes = ", ".join(f"{number} {kind}" for kind, number in count.items())
        tasks = len(self._view.waiting)
        if not (tasks and self._limits.on):
            why = f"min_nodes is {self._limits.min_nodes}"
        else:
            why = f"waiting: {tasks}, about {sum(self._view.waiting):.0f} s of work"
        if self._held_back_by:
            why += f"; no more: {self._obstacle()}"
        elif tried_again := count.keys() & self._view.failed.keys():
            why += f"; {self._trouble(min(tried_again))}"
        return f"{nodes}: {why}"

    def _obstacle(self) -> str:
        if self._held_back_by == "failed launches":
            worst = max(self._view.failed.items(), key=lambda item: item[1].count)
            return self._trouble(worst[0])
        if self._held_back_by == "jobs_per_node" and not self._limits.jobs_per_node:
            return "there is a slot for every task"
        return f"{self._held_back_by} is {getattr(self._limits, self._held_back_by)}"

    def _trouble(self, kind: str) -> str:
        failed = self._view.failed[kind]
        launches = "launch" if failed.count == 1 else f"{failed.count} launches"
        cause = f" ({failed.cause})" if failed.cause else ""
        again = wait_after(failed.count, self._limits).total_seconds()
        return (
            f"the last {launches} of {kind} came to nothing{cause}; one is tried "
            f"{again:.0f} s after"
        )
