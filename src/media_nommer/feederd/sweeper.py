"""The machines of the fleet held against the records: their ends, and what is left over."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import structlog

from media_nommer.core.errors import NodeNotFound, NommerError
from media_nommer.core.nodes import Machine, Node, NodeId
from media_nommer.core.ports.fleet import Fleet
from media_nommer.core.workflow.changes import change_node
from media_nommer.core.workflow.engine import Engine
from media_nommer.core.workflow.watch import BeatWatch

log = structlog.get_logger(__name__)


class Sweeper:
    """Ends machines that no node needs, and completes what records say of the others.

    A machine whose node is recorded as gone ends itself; one that has not after
    ``ends_within`` is ended. So is one whose node is on no record, but only after
    ``unknown_for``: nothing of ours is ever without a record, as intents are stored first,
    unless a store was put back to a former state. Both are watched on our own clock, look
    by look, and a look that fails ends nothing.
    """

    def __init__(
        self,
        engine: Engine,
        fleet: Fleet,
        *,
        ends_within: timedelta,
        unknown_for: timedelta,
    ) -> None:
        self._engine = engine
        self._fleet = fleet
        self._ends_within = ends_within
        self._unknown_for = unknown_for
        self._watch = BeatWatch(engine.clock)
        self._watched: frozenset[NodeId] = frozenset()
        self._settled: frozenset[NodeId] = frozenset()

    def step(self, living: Sequence[Node], machines: Mapping[NodeId, Machine]) -> int:
        """Do all that is due; return how many machines were ended.

        ``living`` are the nodes as they were before the machines were looked at.
        """
        for node in living:
            if node.id in machines:
                self._complete(node, machines[node.id])
        known = {node.id for node in living}
        others = {
            node_id: machine
            for node_id, machine in machines.items()
            if node_id not in known and node_id not in self._settled
        }
        ended = self._sweep(others)
        self._settled &= machines.keys()
        return ended

    def _sweep(self, others: Mapping[NodeId, Machine]) -> int:
        """See to the machines of nodes that are gone, or that nobody knows."""
        # Read after the machines: whatever was started meanwhile has its record by now.
        everyone = self._engine.store.nodes(gone=True) if others else ()
        records = {node.id: node for node in everyone}
        left: set[NodeId] = set()
        ended = 0
        for node_id, machine in others.items():
            node = records.get(node_id)
            if node is not None:
                self._complete(node, machine)
            if machine.ended_at is not None:
                self._settled |= {node_id} if node is None or node.gone else set()
            elif node is None or node.gone:
                left.add(node_id)
                ended += self._end(node_id, machine, known=node is not None)
        for node_id in self._watched - left:
            self._watch.forget(node_id)
        self._watched = frozenset(left)
        return ended

    def _end(self, node_id: NodeId, machine: Machine, *, known: bool) -> bool:
        """End a machine that nobody needs, if it has been so for long enough."""
        still = self._watch.still_for(node_id, known)
        if not known and node_id not in self._watched:
            log.error(
                "machine_of_no_node",
                node=node_id,
                machine=machine.name,
                ends_in=self._unknown_for.total_seconds(),
            )
        if still < (self._ends_within if known else self._unknown_for):
            return False
        try:
            self._fleet.kill(node_id)
        except NommerError as error:  # the next look tries again
            log.warning("machine_not_ended", node=node_id, message=error.message)
            return False
        log.warning("machine_ended", node=node_id, machine=machine.name, known=known)
        return True

    def _complete(self, node: Node, machine: Machine) -> None:
        """Write down what the record does not say of its machine yet, such as its end."""
        if machine.ended_at is not None and not self._fleet.knows_end(node.id):
            machine = _unseen_end(node, machine)
        if _completed(node.machine, machine) == node.machine:
            return

        def completed(latest: Node) -> Node | None:
            whole = _completed(latest.machine, machine)
            return None if whole == latest.machine else replace(latest, machine=whole)

        with suppress(NodeNotFound):  # it was gone for long, and is forgotten
            change_node(self._engine.store, node.id, completed)


def _unseen_end(node: Node, machine: Machine) -> Machine:
    """Return a machine whose end nobody saw as ended by the last word of its node."""
    if machine.ended_at is None or node.joined_at is None:  # it never had a word
        return machine
    return replace(machine, ended_at=min(node.changed_at, machine.ended_at))


def _completed(known: Machine, seen: Machine) -> Machine:
    """Return what both tell of a machine, if they tell of the same one."""
    another = known.name and known.name != seen.name
    return known if another else known.filled_in(seen)
