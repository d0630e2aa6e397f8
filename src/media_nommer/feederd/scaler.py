"""The fleet as feederd sees it, and what was decided acted on: intent before call."""

import secrets
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from media_nommer.core.errors import NommerError, Overtaken
from media_nommer.core.nodes import Node, NodeId, NodeState
from media_nommer.core.ports.fleet import Fleet
from media_nommer.core.workflow.changes import change_node
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.backlog import Backlog, BacklogReader
from media_nommer.planning.scaling import (
    SERVING,
    FailedLaunches,
    FleetNode,
    FleetView,
    Limits,
    NodeKind,
    decide,
    within,
)

log = structlog.get_logger(__name__)

#: The detail of an intent that was withdrawn before anybody acted on it.
WITHDRAWN = "one too many"

#: Tasks are looked at for each slot that there may be; what is behind them has to wait.
_TASKS_A_SLOT = 4


def look(
    nodes: Sequence[Node], backlog: Backlog, now: datetime, kinds: Sequence[NodeKind]
) -> FleetView:
    """Return the view of a fleet whose records, those that are gone too, are ``nodes``."""
    names = {kind.name for kind in kinds}
    failed = {name: failed_launches(nodes, name, now) for name in names}
    return FleetView(
        nodes=seen(nodes, now, names),
        waiting=backlog.waiting,
        working=backlog.working,
        failed={name: found for name, found in failed.items() if found.count},
    )


def seen(nodes: Sequence[Node], now: datetime, names: set[str]) -> tuple[FleetNode, ...]:
    """Return the nodes that are not gone; those of kinds in ``names`` are ours."""
    return tuple(
        FleetNode(
            kind=node.kind,
            state=node.state,
            age=now - node.created_at,
            slots=node.slots,
            ours=node.kind in names,
        )
        for node in nodes
        if not node.gone
    )


def failed_launches(nodes: Sequence[Node], kind: str, now: datetime) -> FailedLaunches:
    """Return how many of the newest launches of a kind came to nothing.

    Those that are still on their way tell nothing yet, and withdrawn ones nothing at all.
    """
    failed: list[Node] = []
    for node in sorted(nodes, key=_by_id, reverse=True):
        if node.kind != kind or node.detail == WITHDRAWN:
            continue
        if node.slots:  # one that joined has slots
            break
        if node.gone:
            failed.append(node)
    if not failed:
        return FailedLaunches(0, timedelta.max)
    return FailedLaunches(len(failed), now - failed[0].changed_at, failed[0].detail)


def _by_id(node: Node) -> str:
    return node.id


def new_node_id(now: datetime) -> NodeId:
    """Return an id that nobody else has; ids sort by ``now`` to the millisecond."""
    return NodeId(f"n{int(now.timestamp() * 1000):011x}{secrets.token_hex(3)}")


class Scaler:
    """Starts nodes of the ``kinds`` on offer through a fleet; they end themselves (rule 5).

    Whatever another feederd does at the same time, it asks the fleet for no node beyond
    ``limits``: an intent that turns out to be one too many is withdrawn before the call.
    """

    def __init__(
        self,
        engine: Engine,
        fleet: Fleet,
        limits: Limits,
        kinds: Sequence[NodeKind],
        *,
        new_id: Callable[[datetime], NodeId] = new_node_id,
    ) -> None:
        self._engine = engine
        self._fleet = fleet
        self._all_limits = limits
        self._kinds = tuple(kinds)
        self._names = {kind.name for kind in kinds}
        self._most_slots = max((kind.slots for kind in kinds), default=1)
        self._soon = min((kind.boot for kind in kinds), default=timedelta())
        self._backlog = BacklogReader(engine)
        self._new_id = new_id
        self._host = socket.gethostname()
        self._held_back_by = ""

    def step(self) -> int:
        """Bring the fleet to the size that it should have; return how many were started."""
        now = self._engine.clock.now()
        limits = self._all_limits.at(now)
        nodes = self._engine.store.nodes(gone=True)
        self._adopt(nodes)
        nodes = self._reconcile_kept(nodes, limits)
        view = look(nodes, self._read_backlog(nodes, limits), now, self._kinds)
        decision = decide(view, limits, self._kinds)
        if decision.launches or decision.held_back_by != self._held_back_by:
            log.info("scaling_decided", reason=decision.reason)
        self._held_back_by = decision.held_back_by
        kept = sum(node.kept and node.state in SERVING for node in nodes)
        intents = [
            self._intend(kind, kept=kept + number < limits.min_nodes)
            for number, kind in enumerate(decision.launches)
        ]
        return self._start(intents, limits) if intents else 0

    def _read_backlog(self, nodes: Sequence[Node], limits: Limits) -> Backlog:
        serving = [node for node in nodes if node.state in SERVING]
        slots = limits.max_nodes * self._most_slots  # a look at more would change nothing
        slots += sum(node.slots or self._most_slots for node in serving) + 1
        return self._backlog.read(
            frozenset(node.id for node in serving), self._soon, limit=slots * _TASKS_A_SLOT
        )

    def _adopt(self, nodes: Sequence[Node]) -> None:
        """Start what an intent stands for, if whoever stored it died before the call."""
        for node in nodes:
            ours = node.kind in self._names and node.host == self._host
            if ours and node.state is NodeState.LAUNCHING:
                self._fleet.start(node)

    def _reconcile_kept(self, nodes: Sequence[Node], limits: Limits) -> tuple[Node, ...]:
        """Keep as many of the serving nodes as ``min_nodes`` says, the oldest ones."""
        own = [n for n in nodes if n.kind in self._names and n.state in SERVING]
        keep = {node.id for node in sorted(own, key=_by_id)[: limits.min_nodes]}
        changed = []
        for node in nodes:
            wanted = node.id in keep
            if node in own and node.kept is not wanted:
                with suppress(Overtaken):  # the next step sees to it
                    changed.append(self._engine.store.swap_node(replace(node, kept=wanted)))
                    continue
            changed.append(node)
        return tuple(changed)

    def _intend(self, kind: str, *, kept: bool) -> Node:
        """Store the intent of a node (rule 9)."""
        now = self._engine.clock.now()
        return self._engine.store.add_node(
            Node(
                id=self._new_id(now),
                kind=kind,
                host=self._host,
                created_at=now,
                changed_at=now,
                kept=kept,
            )
        )

    def _start(self, intents: list[Node], limits: Limits) -> int:
        """Have the nodes of these intents made; return how many there was room for.

        Each of two feederds at once sees the other's intents in its last look, or is seen.
        """
        now = self._engine.clock.now()
        there = seen(self._engine.store.nodes(), now, self._names)
        while intents and not within(there, limits, self._kinds):
            self._withdraw(intents.pop())
            there = seen(self._engine.store.nodes(), now, self._names)
        for intent in intents:
            log.info("node_starting", node=intent.id, kind=intent.kind, kept=intent.kept)
            try:
                self._fleet.start(intent)
            except NommerError as error:
                # The intent stays: it is tried again, and given up when its time is over.
                log.warning("node_not_started", node=intent.id, message=error.message)
        return len(intents)

    def _withdraw(self, intent: Node) -> None:
        """Take back an intent; should it have been acted on, its node ends itself."""
        at = self._engine.clock.now()

        def gone(latest: Node) -> Node | None:
            if latest.state is not NodeState.LAUNCHING:
                return None
            return latest.moved_to(NodeState.GONE, at=at, detail=WITHDRAWN)

        change_node(self._engine.store, intent.id, gone)
        log.info("node_withdrawn", node=intent.id)
