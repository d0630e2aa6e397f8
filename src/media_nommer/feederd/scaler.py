"""The fleet as feederd sees it, and what was decided acted on: intent before call."""

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from media_nommer.core.errors import LaunchFailed, NommerError, Overtaken
from media_nommer.core.nodes import (
    SET_ASIDE,
    Machine,
    Node,
    NodeId,
    NodeState,
    new_node_id,
)
from media_nommer.core.ports.fleet import Fleet
from media_nommer.core.workflow.changes import change_node
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.backlog import Backlog, BacklogReader
from media_nommer.planning.fleet.scaling import (
    SERVING,
    Decision,
    FailedLaunches,
    FleetNode,
    FleetView,
    Limits,
    NodeKind,
    decide,
    usual_boot,
    within,
)

log = structlog.get_logger(__name__)

#: Tells which kinds of node can be had, as things are now.
Offer = Callable[[], Sequence[NodeKind]]

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
            price=node.machine.price,
            ours=node.kind in names,
        )
        for node in nodes
        if not node.gone
    )


def failed_launches(nodes: Sequence[Node], kind: str, now: datetime) -> FailedLaunches:
    """Return how many of the newest launches of a kind came to nothing.

    Those that are still on their way tell nothing yet, and withdrawn ones nothing at all.
    A node that joined, and set itself aside because nothing went well on it, counts: one
    started in its place may fare no better.
    """
    failed: list[Node] = []
    for node in sorted(nodes, key=_by_id, reverse=True):
        if node.kind != kind or node.detail == WITHDRAWN:
            continue
        if node.slots and not node.detail.startswith(SET_ASIDE):  # it joined, and works
            break
        if node.gone:
            failed.append(node)
    if not failed:
        return FailedLaunches(0, timedelta.max)
    return FailedLaunches(len(failed), now - failed[0].changed_at, failed[0].detail)


def _by_id(node: Node) -> str:
    return node.id


def boots_of(nodes: Sequence[Node], kind: str) -> tuple[timedelta, ...]:
    """Return how long nodes of a kind took from their machine's start to work, in turn."""
    return tuple(
        node.joined_at - node.machine.started_at
        for node in sorted(nodes, key=_by_id)
        if node.kind == kind and node.joined_at and node.machine.started_at
    )


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided last, and when."""

    at: datetime
    decision: Decision


class Scaler:
    """Starts nodes of the kinds on ``offer`` through a fleet; they end themselves (rule 5).

    What is on offer is asked at each step, and of how long a node takes to boot the past is
    believed rather than that. Whatever another feederd does at the same time, it asks the
    fleet for no node beyond ``limits``: an intent that turns out to be one too many is
    withdrawn before the call. It is ``quiet`` if at the last step there was no task, and no
    node on its way.
    """

    def __init__(
        self,
        engine: Engine,
        fleet: Fleet,
        limits: Limits,
        offer: Offer,
        *,
        new_id: Callable[[datetime], NodeId] = new_node_id,
    ) -> None:
        self._engine = engine
        self._fleet = fleet
        self._all_limits = limits
        self._offer = offer
        self._kinds: tuple[NodeKind, ...] = ()
        self._names: set[str] = set()
        self._boots: dict[str, timedelta] = {}
        self._backlog = BacklogReader(engine)
        self._new_id = new_id
        self._host = socket.gethostname()
        self._held_back_by = ""
        self._decided: Decided | None = None
        self.quiet = False

    @property
    def decided(self) -> Decided | None:
        """What the last step decided, None before the first; any thread may ask."""
        return self._decided

    def step(self) -> int:
        """Bring the fleet to the size that it should have; return how many were started.

        Raises:
            NommerError: it cannot be told now what to start; that is what was decided then.
        """
        try:
            return self._step()
        except NommerError as error:
            self._decide(Decision((), f"none: {error.message}"))
            raise

    def _step(self) -> int:
        now = self._engine.clock.now()
        limits = self._all_limits.at(now)
        nodes = self._engine.store.nodes(gone=True)
        self._learn_kinds(nodes)
        self._adopt(nodes)
        nodes = self._reconcile_kept(nodes, limits)
        view = look(nodes, self._read_backlog(nodes, limits), now, self._kinds)
        coming = any(node.state is NodeState.LAUNCHING for node in view.nodes)
        self.quiet = not (view.waiting or view.working or coming)
        decision = decide(view, limits, self._kinds)
        if decision.launches or decision.held_back_by != self._held_back_by:
            log.info("scaling_decided", reason=decision.reason)
        self._held_back_by = decision.held_back_by
        self._decide(decision)
        kept = sum(node.kept and node.state in SERVING for node in nodes)
        intents = [
            self._intend(kind, kept=kept + number < limits.min_nodes)
            for number, kind in enumerate(decision.launches)
        ]
        return self._start(intents, limits) if intents else 0

    def _decide(self, decision: Decision) -> None:
        self._decided = Decided(self._engine.clock.now(), decision)

    def _learn_kinds(self, nodes: Sequence[Node]) -> None:
        """Take note of what is on offer, and of how long that took to boot lately."""
        kinds = []
        for kind in self._offer():
            known = self._boots.get(kind.name, kind.boot)
            boot = self._boots[kind.name] = usual_boot(boots_of(nodes, kind.name), known)
            kinds.append(replace(kind, boot=boot))
        self._kinds = tuple(kinds)
        self._names = {kind.name for kind in kinds}

    def _read_backlog(self, nodes: Sequence[Node], limits: Limits) -> Backlog:
        serving = [node for node in nodes if node.state in SERVING]
        most = max((kind.slots for kind in self._kinds), default=1)
        soon = min((kind.boot for kind in self._kinds), default=timedelta())
        slots = limits.max_nodes * most  # a look at more would change nothing
        slots += sum(node.slots or most for node in serving) + 1
        return self._backlog.read(
            frozenset(node.id for node in serving), soon, limit=slots * _TASKS_A_SLOT
        )

    def _adopt(self, nodes: Sequence[Node]) -> None:
        """Start what an intent stands for, if whoever stored it died before the call."""
        for node in nodes:
            if node.state is NodeState.LAUNCHING and self._fleet.answers_for(node):
                self._start_one(node)

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
            self._start_one(intent)
        return len(intents)

    def _start_one(self, intent: Node) -> None:
        """Have the machine of an intent made, and write down which it is, or why none."""
        try:
            machine = self._fleet.start(intent)
        except NommerError as error:
            log.warning(
                "node_not_started", node=intent.id, code=error.code, message=error.message
            )
            # Where something may come of it yet, the intent stays: it is tried again, and
            # given up when its time is over.
            self._tell_why_not(intent, error.message, over=isinstance(error, LaunchFailed))
        else:
            self._tell_machine(intent, machine)

    def _tell_why_not(self, intent: Node, why: str, *, over: bool) -> None:
        at = self._engine.clock.now()

        def told(latest: Node) -> Node | None:
            if latest.state is not NodeState.LAUNCHING:
                return None
            if over:
                return latest.moved_to(NodeState.GONE, at=at, detail=why)
            return None if latest.detail == why else replace(latest, detail=why)

        change_node(self._engine.store, intent.id, told)

    def _tell_machine(self, intent: Node, machine: Machine) -> None:
        def told(latest: Node) -> Node | None:
            known = latest.machine.filled_in(machine)
            launching = latest.state is NodeState.LAUNCHING
            detail = "" if launching else latest.detail
            whole = replace(latest, machine=known, detail=detail)
            return None if whole == latest else whole

        if told(intent) is not None:
            change_node(self._engine.store, intent.id, told)

    def _withdraw(self, intent: Node) -> None:
        """Take back an intent; should it have been acted on, its node ends itself."""
        at = self._engine.clock.now()

        def gone(latest: Node) -> Node | None:
            if latest.state is not NodeState.LAUNCHING:
                return None
            return latest.moved_to(NodeState.GONE, at=at, detail=WITHDRAWN)

        change_node(self._engine.store, intent.id, gone)
        log.info("node_withdrawn", node=intent.id)
