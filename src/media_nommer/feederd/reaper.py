"""Finding the nodes that died, so that others do their tasks."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog

from media_nommer.core.errors import NommerError
from media_nommer.core.nodes import Machine, Node, NodeId, NodeState
from media_nommer.core.ports.fleet import Fleet
from media_nommer.core.workflow.changes import change_node
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.core.workflow.lost import let_go_of
from media_nommer.core.workflow.watch import BeatWatch
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.feederd.sweeper import Sweeper

log = structlog.get_logger(__name__)


class Reaper:
    """Finds the nodes that died, and sets the tasks free that they held.

    ``fleet`` tells which of its own nodes have a machine; of all others only the beat
    tells. Its machines that no node needs are ended.
    """

    def __init__(
        self,
        engine: Engine,
        fleet: Fleet | None,
        work: WorkPolicy,
        policy: JanitorPolicy,
        *,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._engine = engine
        self._fleet = fleet
        self._work = work
        self._policy = policy
        self._on_change = on_change
        self._watch = BeatWatch(engine.clock)
        self._missed = BeatWatch(engine.clock)
        self._sweeper = _sweeper(engine, fleet, policy)
        self._last_look = engine.clock.monotonic()
        self.quiet = False

    def step(self) -> int:
        """Record as gone what is gone; return how many nodes that were."""
        # The records first: a node that works and is not there afterwards has died.
        nodes = self._engine.store.nodes()
        machines = self._machines()
        self._forget_what_we_missed()
        self.quiet = not any(n.busy or n.state is NodeState.LAUNCHING for n in nodes)
        buried = 0
        for node in nodes:
            why = self._why_dead(node, machines)
            buried += why is not None and self._bury(node, why)
        if self._sweeper is not None and machines is not None:
            self._sweeper.step(nodes, machines)
        if buried:
            self._on_change()
        return buried

    def _machines(self) -> Mapping[NodeId, Machine] | None:
        """Return the machines there are, None where no fleet says.

        Then only the beat tells of any node.
        """
        try:
            return None if self._fleet is None else self._fleet.machines()
        except NommerError as error:
            log.warning("fleet_not_seen", code=error.code, message=error.message)
            return None

    def _forget_what_we_missed(self) -> None:
        """Begin to watch anew after a time in which we saw no beat at all.

        While the store did not answer us it did not answer the nodes either, and they are
        not dead for that.
        """
        now = self._engine.clock.monotonic()
        if now - self._last_look > self._longest_gap.total_seconds():
            self._watch = BeatWatch(self._engine.clock)
            self._missed = BeatWatch(self._engine.clock)
            self._sweeper = _sweeper(self._engine, self._fleet, self._policy)
        self._last_look = now

    @property
    def _longest_gap(self) -> timedelta:
        return max(self._work.lease, 2 * self._policy.look_every)

    def _why_dead(
        self, node: Node, machines: Mapping[NodeId, Machine] | None
    ) -> str | None:
        ended = missing = False
        if self._fleet and machines is not None and self._fleet.answers_for(node):
            machine = machines.get(node.id)
            missing = machine is None
            ended = machine is not None and machine.ended_at is not None
        still = self._watch.still_for(node.id, (node.state, node.beat))
        missed = self._missed.still_for(node.id, missing)
        if node.state is NodeState.LAUNCHING:
            if ended:
                return "its machine ended before it reported"
            if missing and still >= self._policy.appears_within:
                # The detail of an intent is why its machine could not be started.
                return node.detail or "its machine ended, or never came, before it reported"
            return "it never reported" if still >= self._policy.reports_within else None
        if ended or (missing and missed >= self._policy.missed_for):
            return "its machine is gone"
        if still >= self._work.lease * self._policy.silent_leases:
            return "it fell silent"
        return None

    def _bury(self, node: Node, why: str) -> bool:
        """Record that a node is gone, unless it has left or shown life meanwhile."""
        at, ours = self._engine.clock.now(), False

        def gone(latest: Node) -> Node | None:
            nonlocal ours
            ours = (latest.state, latest.beat) == (node.state, node.beat)
            return latest.moved_to(NodeState.GONE, at=at, detail=why) if ours else None

        change_node(self._engine.store, node.id, gone)
        if not ours:
            return False
        self._watch.forget(node.id)
        self._missed.forget(node.id)
        freed = let_go_of(self._engine, node.id)
        log.warning("node_gone", node=node.id, why=why, tasks_freed=freed)
        return True


def _sweeper(engine: Engine, fleet: Fleet | None, policy: JanitorPolicy) -> Sweeper | None:
    if fleet is None:
        return None
    return Sweeper(
        engine, fleet, ends_within=policy.ends_within, unknown_for=policy.unknown_for
    )
