"""How many nodes there should be: decided purely, then acted on, intent before call."""

import math
import secrets
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from media_nommer.core.errors import NommerError, Overtaken
from media_nommer.core.nodes import Node, NodeId, NodeState
from media_nommer.core.ports.fleet import Fleet
from media_nommer.core.workflow.engine import Engine

log = structlog.get_logger(__name__)

#: The states in which a node takes tasks, or will.
SERVING = frozenset({NodeState.LAUNCHING, NodeState.RUNNING})


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPolicy:
    """The operator's limits. Field names are those of the settings."""

    min_nodes: int = 0
    max_nodes: int = 1
    #: Slots of a node that is to be started.
    slots: int = 1
    #: How long the next launch waits after one that came to nothing; then twice as long.
    relaunch_after: timedelta = timedelta(seconds=1)
    relaunch_limit: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetView:
    """What feederd believes at one moment.

    ``serving`` nodes of the fleet take tasks now or will, launching ones included;
    ``draining`` ones still count against the limit. ``capacity`` is the slots of all that
    serve, also of nodes that somebody started by hand, and ``backlog`` the tasks that are
    waiting or worked on. ``failed_launches`` came to nothing, one after the other, the last
    one ``since_last_launch`` ago.
    """

    serving: int = 0
    draining: int = 0
    capacity: int = 0
    backlog: int = 0
    failed_launches: int = 0
    since_last_launch: timedelta = timedelta(days=365)


def nodes_to_start(view: FleetView, policy: FleetPolicy) -> int:
    """Return how many nodes to start now: enough for the backlog, never beyond the limit.

    Where launches keep coming to nothing, one is tried at a time, ever more rarely.
    """
    room = policy.max_nodes - view.serving - view.draining
    for_backlog = math.ceil((view.backlog - view.capacity) / policy.slots)
    missing = max(for_backlog, policy.min_nodes - view.serving)
    if room <= 0 or missing <= 0:
        return 0
    if view.failed_launches:
        return int(view.since_last_launch >= wait_after(view.failed_launches, policy))
    return min(room, missing)


def wait_after(failed_launches: int, policy: FleetPolicy) -> timedelta:
    """Return how long to wait after so many launches in a row that came to nothing."""
    doublings = min(max(failed_launches, 1) - 1, 30)
    return min(policy.relaunch_after * (1 << doublings), policy.relaunch_limit)


def look(
    nodes: Sequence[Node], backlog: int, now: datetime, policy: FleetPolicy, kind: str
) -> FleetView:
    """Return the view of a fleet whose records, those that are gone too, are ``nodes``."""
    own = sorted((node for node in nodes if node.kind == kind), key=_by_id, reverse=True)
    failed = 0
    for node in own:
        if not (node.gone and node.slots == 0):  # one that joined has slots
            break
        failed += 1
    return FleetView(
        serving=sum(node.state in SERVING for node in own),
        draining=sum(node.state is NodeState.DRAINING for node in own),
        capacity=capacity_of(nodes, policy),
        backlog=backlog,
        failed_launches=failed,
        since_last_launch=now - own[0].changed_at if own else timedelta(days=365),
    )


def capacity_of(nodes: Sequence[Node], policy: FleetPolicy) -> int:
    """Count the slots of the nodes that take tasks, now or when they are up."""
    return sum(node.slots or policy.slots for node in nodes if node.state in SERVING)


def _by_id(node: Node) -> str:
    return node.id


def new_node_id(now: datetime) -> NodeId:
    """Return an id that nobody else has; ids sort by ``now`` to the millisecond."""
    return NodeId(f"n{int(now.timestamp() * 1000):011x}{secrets.token_hex(3)}")


class Scaler:
    """Starts nodes, of one ``kind``, through a fleet; they end themselves (rule 5)."""

    def __init__(
        self,
        engine: Engine,
        fleet: Fleet,
        policy: FleetPolicy,
        *,
        kind: str = "local",
        new_id: Callable[[datetime], NodeId] = new_node_id,
    ) -> None:
        self._engine = engine
        self._fleet = fleet
        self._policy = policy
        self._kind = kind
        self._new_id = new_id
        self._host = socket.gethostname()

    def step(self) -> int:
        """Bring the fleet to the size that it should have; return how many were started."""
        nodes = self._engine.store.nodes(gone=True)
        self._adopt(nodes)
        nodes = self._reconcile_kept(nodes)
        count = nodes_to_start(self._view(nodes), self._policy)
        kept = sum(node.kept and node.state in SERVING for node in nodes)
        for number in range(count):
            self._start(kept=kept + number < self._policy.min_nodes)
        return count

    def _view(self, nodes: Sequence[Node]) -> FleetView:
        most = self._policy.max_nodes * self._policy.slots  # no more matter
        most += capacity_of(nodes, self._policy) + 1
        backlog = len(self._engine.store.unsettled_tasks(limit=most))
        now = self._engine.clock.now()
        return look(nodes, backlog, now, self._policy, self._kind)

    def _adopt(self, nodes: Sequence[Node]) -> None:
        """Start what an intent stands for, if whoever stored it died before the call."""
        for node in nodes:
            ours = node.kind == self._kind and node.host == self._host
            if ours and node.state is NodeState.LAUNCHING:
                self._fleet.start(node)

    def _reconcile_kept(self, nodes: Sequence[Node]) -> tuple[Node, ...]:
        """Keep as many of the serving nodes as ``min_nodes`` says, the oldest ones."""
        own = [n for n in nodes if n.kind == self._kind and n.state in SERVING]
        keep = {node.id for node in sorted(own, key=_by_id)[: self._policy.min_nodes]}
        changed = []
        for node in nodes:
            wanted = node.id in keep
            if node in own and node.kept is not wanted:
                with suppress(Overtaken):  # the next step sees to it
                    changed.append(self._engine.store.swap_node(replace(node, kept=wanted)))
                    continue
            changed.append(node)
        return tuple(changed)

    def _start(self, *, kept: bool) -> None:
        """Store the intent of a node, then have it made (rule 9)."""
        now = self._engine.clock.now()
        intent = self._engine.store.add_node(
            Node(
                id=self._new_id(now),
                kind=self._kind,
                host=self._host,
                created_at=now,
                changed_at=now,
                kept=kept,
            )
        )
        log.info("node_starting", node=intent.id, kept=kept)
        try:
            self._fleet.start(intent)
        except NommerError as error:
            # The intent stays: it is tried again, and given up when its time is over.
            log.warning("node_not_started", node=intent.id, message=error.message)
