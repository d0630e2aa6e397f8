"""The node's own life: it joins, beats, and leaves when there is nothing to do (rule 5)."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from media_nommer.core.errors import AlreadyExists, NodeNotFound, Overtaken
from media_nommer.core.jobs import JobState
from media_nommer.core.nodes import UNKNOWN_MACHINE, Machine, Node, NodeId, NodeState
from media_nommer.core.ports.store import JobFilter
from media_nommer.core.workflow.changes import change_node
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.core.workflow.lost import LostWork
from media_nommer.core.workflow.watch import BeatWatch

#: How often a node without work beats in a lease; one with work beats as its claims do.
_IDLE_BEATS = 3

_UNFINISHED = JobFilter(states=(JobState.PENDING, JobState.RUNNING))


class NodeLife:
    """The record of this node, and the decision to leave.

    ``idle_timeout`` is how long the node stays without work. ``worked`` counts the seconds
    in which it had any, and ``on_seen`` is told how the record is each time it was written.
    """

    def __init__(
        self,
        engine: Engine,
        policy: WorkPolicy,
        node: NodeId,
        *,
        idle_timeout: timedelta,
        worked: Callable[[], float] = lambda: 0.0,
        on_seen: Callable[[Node], None] = lambda _node: None,
    ) -> None:
        self._engine = engine
        self._policy = policy
        self._id = node
        self._idle_timeout = idle_timeout
        self._worked = worked
        self._on_seen = on_seen
        self._worked_before = 0.0
        self._lost = LostWork(engine, policy)
        self._watch = BeatWatch(engine.clock)
        self._kept = False
        self._latest: Node | None = None
        self._shown_at = 0.0

    def join(
        self,
        *,
        kind: str,
        host: str,
        pid: int | None,
        slots: int,
        machine: Machine = UNKNOWN_MACHINE,
    ) -> None:
        """Tell that the node works now; one that nobody planned adds itself.

        What is known of its ``machine`` is told as well. The price stays: who started it
        knows that.
        """
        now = self._engine.clock.now()
        with suppress(AlreadyExists):  # the launch intent of whoever started us
            self._engine.store.add_node(
                Node(id=self._id, kind=kind, created_at=now, changed_at=now)
            )
        node = change_node(
            self._engine.store,
            self._id,
            lambda node: replace(
                node.moved_to(NodeState.RUNNING, at=now)
                if node.state is NodeState.LAUNCHING
                else node,
                host=host,
                pid=pid,
                slots=slots,
                joined_at=node.joined_at or now,
                machine=_known_machine(node.machine, machine),
            ),
        )
        self._worked_before = node.worked  # by a process of before, on the same record
        self._saw(node)

    def beat(self, busy: int) -> NodeState:
        """Show that the node lives; return the state that others have put it in.

        A record that is not there any more, as in a store that was put back to a former
        state, is put there again.
        """

        def beaten(node: Node) -> Node | None:
            if node.gone:
                return None
            return replace(
                node.beaten(busy=busy, at=self._engine.clock.now()),
                worked=self._worked_before + self._worked(),
            )

        try:
            node = self._change(beaten)
        except NodeNotFound:
            node = self._added_again(beaten)
        self._saw(node)
        return node.state

    def is_shown(self, busy: int) -> bool:
        """Return whether there is no use in a beat yet: an idle node beats less often.

        Whoever watches a node waits for a lease at least.
        """
        if busy or self._latest is None or self._latest.busy:
            return False
        since = self._engine.clock.monotonic() - self._shown_at
        return since < self._policy.lease.total_seconds() / _IDLE_BEATS

    def _change(self, change: Callable[[Node], Node | None]) -> Node:
        """Change the record; it is read only if others have written since we did."""
        changed = None if self._latest is None else change(self._latest)
        if changed is not None:
            with suppress(Overtaken):
                return self._engine.store.swap_node(changed)
        return change_node(self._engine.store, self._id, change)

    def _added_again(self, change: Callable[[Node], Node | None]) -> Node:
        """Add the record as we knew it last, unless that was told to be gone for good.

        Raises:
            NodeNotFound: we never had one.
        """
        if self._latest is None:
            raise NodeNotFound(f"there is no node {self._id}")
        again = change(self._latest)
        if again is None:
            return self._latest
        with suppress(AlreadyExists):
            return self._engine.store.add_node(replace(again, revision=0))
        return change_node(self._engine.store, self._id, change)

    def may_leave(self, idle_for: timedelta) -> bool:
        """Return whether this idle node may end itself.

        It puts again what was lost first, and finds out by that whether it is really idle.
        While any job is unfinished the node with the smallest id stays; we may leave only
        if we have seen such a one, other than ourselves, move its beat within a lease.
        """
        if self._kept:
            return False
        others_live = self._a_smaller_one_lives()
        if idle_for < self._idle_timeout:
            return False
        if self._lost.put_again():
            return False
        return others_live or not self._any_job_unfinished()

    def first_question(self, idle_for: timedelta) -> timedelta:
        """Return how long there is no use in asking ``may_leave`` of this idle node.

        To have seen another one live, it has to look for a lease before it could leave.
        """
        if self._kept:
            return self._policy.lease
        return max(timedelta(), self._idle_timeout - self._policy.lease - idle_for)

    def leave(self, state: NodeState, detail: str) -> None:
        """Write down that the node drains, or is gone; a record that is gone stays so.

        One that is not there any more is put there again: of what the node was paid for
        the ledger may have only the beginning.
        """

        def left(node: Node) -> Node | None:
            if node.gone or node.state is state:
                return None
            return replace(
                node.moved_to(state, at=self._engine.clock.now(), detail=detail),
                busy=0,
                worked=self._worked_before + self._worked(),
            )

        try:
            node = change_node(self._engine.store, self._id, left)
        except NodeNotFound:
            if self._latest is None:
                return  # we never had one
            node = self._added_again(left)
        self._saw(node)

    def _saw(self, node: Node) -> None:
        self._kept, self._latest = node.kept, node
        self._shown_at = self._engine.clock.monotonic()
        self._on_seen(node)

    def _any_job_unfinished(self) -> bool:
        page = self._engine.store.list_jobs(_UNFINISHED, limit=1)
        return bool(page.jobs) or page.cursor is not None

    def _a_smaller_one_lives(self) -> bool:
        """Return whether a node with a smaller id, that stays, was seen to live."""
        return any(
            self._watch.moved_within(node.id, node.beat, self._policy.lease)
            for node in self._engine.store.nodes()
            if node.id < self._id and node.state is NodeState.RUNNING
        )


def give_up(
    engine: Engine, node_id: NodeId, why: str, *, kind: str, machine: Machine
) -> None:
    """Have the record of a node that never joins say why; it has one after that."""
    now = engine.clock.now()
    with suppress(AlreadyExists):
        engine.store.add_node(Node(id=node_id, kind=kind, created_at=now, changed_at=now))

    def gone(node: Node) -> Node | None:
        if node.gone:
            return None
        left = node.moved_to(NodeState.GONE, at=now, detail=why)
        return replace(left, machine=_known_machine(node.machine, machine))

    change_node(engine.store, node_id, gone)


def _known_machine(on_record: Machine, own: Machine) -> Machine:
    """Return a machine as the node itself knows it, for the price that is on record."""
    if own == UNKNOWN_MACHINE:
        return on_record
    return replace(own, price=on_record.price if own.price is None else own.price)
