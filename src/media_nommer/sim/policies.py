"""Three ways to size a fleet: ours, and the two that people would otherwise set up."""

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from typing_extensions import override

from media_nommer.core.nodes import NodeState
from media_nommer.planning.fleet.estimates import Estimates, Sample, Traits, seconds_left
from media_nommer.planning.fleet.scaling import (
    FleetNode,
    FleetView,
    Limits,
    NodeKind,
    decide,
)

#: When a simulated day begins: a Monday, so that schedules can be tried.
MONDAY = datetime.fromisoformat("2026-06-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Sight:
    """What can be seen of the fleet and its queue at ``now``, in seconds of the day.

    ``working`` are tasks with the seconds that each has run and its progress from 0 to 1,
    ``launching`` the seconds since each node was asked for.
    """

    now: float
    waiting: Sequence[Traits]
    working: Sequence[tuple[Traits, float, float]]
    launching: Sequence[float]
    running: int
    draining: int


class Policy(ABC):
    """Says how many nodes to start, or to end if that is negative.

    It is asked ``every`` so many seconds, and if it ``is_woken`` when a film comes too.
    Where nodes ``end_themselves`` they do it by the rule of ec2nommerd, ``least`` staying.
    """

    name: str
    every: float
    is_woken = False
    end_themselves = False
    least = 0

    @abstractmethod
    def change(self, sight: Sight) -> int:
        """Return how many nodes to start now; to end, if negative."""

    def finished(self, traits: Traits, seconds: float) -> None:
        """Hear how long a task took."""
        return


class Ours(Policy):
    """The function that feederd uses, learning from the tasks of the day as it goes."""

    name = "media-nommer"
    every = 15.0
    is_woken = True
    end_themselves = True

    def __init__(self, kind: NodeKind, limits: Limits) -> None:
        self._kind = kind
        self._limits = limits
        self.least = limits.min_nodes
        self._estimates = Estimates()

    @override
    def change(self, sight: Sight) -> int:
        """Return how many to start; they end themselves."""
        view = FleetView(
            nodes=tuple(self._nodes(sight)),
            waiting=tuple(self._estimates.of(traits) for traits in sight.waiting),
            working=tuple(
                seconds_left(self._estimates.of(traits), elapsed, progress)
                for traits, elapsed, progress in sight.working
            ),
        )
        limits = self._limits.at(MONDAY + timedelta(seconds=sight.now))
        return len(decide(view, limits, [self._kind]).launches)

    @override
    def finished(self, traits: Traits, seconds: float) -> None:
        """Learn from it."""
        self._estimates = self._estimates.learned([Sample(traits, seconds)])

    def _nodes(self, sight: Sight) -> list[FleetNode]:
        kind = self._kind.name
        coming = [
            FleetNode(kind=kind, state=NodeState.LAUNCHING, age=timedelta(seconds=age))
            for age in sight.launching
        ]
        return [
            *coming,
            *[FleetNode(kind=kind, state=NodeState.RUNNING)] * sight.running,
            *[FleetNode(kind=kind, state=NodeState.DRAINING)] * sight.draining,
        ]


class TargetTracking(Policy):
    """EC2 Auto Scaling on backlog per instance, as AWS documents it for SQS.

    The target is the acceptable wait over the time that an instance takes for a message;
    capacity follows the metric in proportion. The alarms that AWS makes for it ask for 3
    minutes above the target, or 15 below nine tenths of it, before anything happens. The
    metric is a quotient by the instances in service, so the group keeps one.
    (docs.aws.amazon.com/autoscaling/ec2/userguide/as-using-sqs-queue.html)
    """

    name = "target tracking"
    every = 60.0

    def __init__(self, most: int, *, wait: float, seconds_a_message: float) -> None:
        self._most = most
        self._target = wait / seconds_a_message
        self._above = self._below = 0

    @override
    def change(self, sight: Sight) -> int:
        """Return the change to the capacity that the alarms would make."""
        capacity = sight.running + len(sight.launching)
        if capacity < 1:
            return 1
        backlog = len(sight.waiting) / max(sight.running, 1)
        self._above = self._above + 1 if backlog > self._target else 0
        self._below = self._below + 1 if backlog < 0.9 * self._target else 0
        wanted = capacity
        if self._above >= 3:
            wanted = max(math.ceil(sight.running * backlog / self._target), capacity)
        elif self._below >= 15:
            wanted = math.ceil(capacity * backlog / self._target)
            self._below = 0
        return _within(wanted, 1, self._most) - capacity


class Keda(Policy):
    """KEDA's SQS scaler with its defaults, each replica being a node of its own.

    One replica for every 5 messages, those in flight included; not while it is off by less
    than a tenth; at most 4 more, or twice as many, every 15 s; fewer only as the largest
    number wanted in the last 300 s allows, and none after as long without a message.
    (keda.sh/docs/latest/scalers/aws-sqs; the HorizontalPodAutoscaler's default behaviour)
    """

    name = "KEDA, queue length 5"
    every = 15.0

    def __init__(self, most: int, *, queue_length: int = 5) -> None:
        self._most = most
        self._queue_length = queue_length
        self._wanted: deque[int] = deque(maxlen=int(300 / self.every))

    @override
    def change(self, sight: Sight) -> int:
        """Return the change that the autoscaler would make."""
        capacity = sight.running + len(sight.launching)
        messages = len(sight.waiting) + len(sight.working)
        wanted = math.ceil(messages / self._queue_length)
        ratio = messages / self._queue_length / max(capacity, 1)
        if capacity and abs(ratio - 1) <= 0.1:
            wanted = capacity
        self._wanted.append(wanted)
        most = min(self._most, max(capacity + 4, 2 * capacity))
        if wanted >= capacity:
            return _within(wanted, capacity, most) - capacity
        return min(max(self._wanted), capacity) - capacity


def _within(number: int, least: int, most: int) -> int:
    return max(least, min(number, most))
