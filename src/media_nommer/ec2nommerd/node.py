"""The node's own life: it joins, beats, and leaves when there is nothing to do (rule 5)."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from media_nommer.core.errors import AlreadyExists, NodeNotFound
from media_nommer.core.jobs import JobState
from media_nommer.core.nodes import Node, NodeId, NodeState
from media_nommer.core.ports.store import JobFilter
from media_nommer.core.workflow.changes import change_node
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.core.workflow.lost import LostWork
from media_nommer.core.workflow.watch import BeatWatch

_UNFINISHED = JobFilter(states=(JobState.PENDING, JobState.RUNNING))


class NodeLife:
    """The record of this node, and the decision to leave.

    ``idle_timeout`` is how long the node stays without work.
    """

    def __init__(
        self,
        engine: Engine,
        policy: WorkPolicy,
        node: NodeId,
        *,
        idle_timeout: timedelta,
    ) -> None:
        self._engine = engine
        self._policy = policy
        self._id = node
        self._idle_timeout = idle_timeout
        self._lost = LostWork(engine, policy)
        self._watch = BeatWatch(engine.clock)
        self._kept = False

    def join(self, *, kind: str, host: str, pid: int | None, slots: int) -> None:
        """Tell that the node works now; one that nobody planned adds itself."""
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
            ),
        )
        self._kept = node.kept

    def beat(self, busy: int) -> NodeState:
        """Show that the node lives; return the state that others have put it in."""
        node = change_node(
            self._engine.store,
            self._id,
            lambda node: (
                None if node.gone else node.beaten(busy=busy, at=self._engine.clock.now())
            ),
        )
        self._kept = node.kept
        return node.state

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
        """Write down that the node drains, or is gone; a record that is gone stays so."""

        def left(node: Node) -> Node | None:
            if node.gone or node.state is state:
                return None
            return replace(
                node.moved_to(state, at=self._engine.clock.now(), detail=detail), busy=0
            )

        try:
            change_node(self._engine.store, self._id, left)
        except NodeNotFound:
            return

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
