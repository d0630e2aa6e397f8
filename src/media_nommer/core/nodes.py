"""The node record: a machine or local process that runs ec2nommerd; and duty records."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from media_nommer.core.errors import IllegalTransition

NodeId = NewType("NodeId", str)


class NodeState(StrEnum):
    """Where a node is."""

    #: An intent: stored before the machine is asked for, and counted against the limits.
    LAUNCHING = "launching"
    RUNNING = "running"
    #: It takes no more tasks and will end.
    DRAINING = "draining"
    GONE = "gone"


#: LAUNCHING to DRAINING is a node that was told to stop before it ever worked.
NEXT_NODE_STATES: Mapping[NodeState, frozenset[NodeState]] = {
    NodeState.LAUNCHING: frozenset({NodeState.RUNNING, NodeState.DRAINING, NodeState.GONE}),
    NodeState.RUNNING: frozenset({NodeState.DRAINING, NodeState.GONE}),
    NodeState.DRAINING: frozenset({NodeState.GONE}),
    NodeState.GONE: frozenset(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One machine, or local process, that runs ec2nommerd.

    Ids sort by the time they were given. The node moves ``beat``; a node is taken for dead
    by those who watch it stand still. ``kept`` nodes never leave for idleness.
    """

    id: NodeId
    kind: str
    created_at: datetime
    changed_at: datetime
    state: NodeState = NodeState.LAUNCHING
    host: str = ""
    pid: int | None = None
    slots: int = 0
    busy: int = 0
    kept: bool = False
    beat: int = 0
    detail: str = ""
    revision: int = 0

    @property
    def gone(self) -> bool:
        """Whether it has ended for good."""
        return self.state is NodeState.GONE

    def moved_to(self, state: NodeState, *, at: datetime, detail: str = "") -> "Node":
        """Return this node in ``state``.

        Raises:
            IllegalTransition: ``state`` does not follow from the current one.
        """
        if state not in NEXT_NODE_STATES[self.state]:
            raise IllegalTransition(
                f"node {self.id} is {self.state}, and that does not lead to {state}"
            )
        return replace(self, state=state, changed_at=at, detail=detail or self.detail)

    def beaten(self, *, busy: int, at: datetime) -> "Node":
        """Return this node with its beat moved on and the tasks it works on counted."""
        return replace(self, beat=self.beat + 1, busy=busy, changed_at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A lease record: who runs one of feederd's loops, so that two feederds are harmless.

    ``name`` says which loop. Whoever watches ``beat`` stand still for ``lease`` on a clock
    of their own may take it over.
    """

    name: str
    holder: str
    lease: timedelta
    changed_at: datetime
    beat: int = 0
    revision: int = 0
