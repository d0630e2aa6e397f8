"""The node record: a machine or local process that runs ec2nommerd; and duty records."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NewType

from media_nommer.core.errors import IllegalTransition

NodeId = NewType("NodeId", str)

#: How the detail of a node begins that joined, and left because it is no good.
SET_ASIDE = "it was set aside"

_MILLIS = re.compile(r"n([0-9a-f]{11})[0-9a-f]{6}")


def new_node_id(now: datetime) -> NodeId:
    """Return an id that nobody else has; ids sort by ``now`` to the millisecond."""
    return NodeId(f"n{int(now.timestamp() * 1000):011x}{secrets.token_hex(3)}")


def given_at(node_id: str) -> datetime | None:
    """Return when ``new_node_id`` gave an id, None for one that it did not give."""
    found = _MILLIS.fullmatch(node_id)
    return datetime.fromtimestamp(int(found[1], 16) / 1000, UTC) if found else None


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


class Market(StrEnum):
    """How a machine was had."""

    #: It is not rented by the hour: a machine of our own.
    OWN = "own"
    ON_DEMAND = "on-demand"
    #: Cheaper, and taken back when somebody pays more.
    SPOT = "spot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a node runs on, as far as it is known, and what that costs.

    ``name`` is what its fleet calls it, such as an EC2 instance's id, and ``type`` such as
    ``c7g.xlarge``. ``price`` is for an hour in US dollars, None where nobody knows it. It
    is paid from ``started_at`` to ``ended_at``, None while it lives.
    """

    name: str = ""
    type: str = ""
    market: Market = Market.OWN
    zone: str = ""
    price: float | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

    def filled_in(self, seen: "Machine") -> "Machine":
        """Return this machine with what only ``seen``, another look at it, tells of it."""
        return Machine(
            name=self.name or seen.name,
            type=self.type or seen.type,
            market=self.market if self.name else seen.market,
            zone=self.zone or seen.zone,
            price=seen.price if self.price is None else self.price,
            started_at=self.started_at or seen.started_at,
            ended_at=self.ended_at or seen.ended_at,
        )


#: A machine of which nothing is known.
UNKNOWN_MACHINE = Machine()


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One machine, or local process, that runs ec2nommerd.

    Ids sort by the time they were given. The node moves ``beat``; a node is taken for dead
    by those who watch it stand still. ``kept`` nodes never leave for idleness. From
    ``joined_at`` on it takes tasks; ``worked`` counts the seconds in which it had any.
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
    machine: Machine = UNKNOWN_MACHINE
    joined_at: datetime | None = None
    worked: float = 0.0
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
