"""What a node can learn of the machine that it runs on, and of notices to end."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from media_nommer.core.nodes import UNKNOWN_MACHINE, Machine, NodeId


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a node is: the node that its machine was started for, None for nobody's."""

    node: NodeId | None = None
    machine: Machine = UNKNOWN_MACHINE


class NoticeKind(StrEnum):
    """What a node is told to expect."""

    #: The machine is taken away at a time.
    RECLAIM = "reclaim"
    #: It is likely to be taken away; better nothing more is begun on it.
    REBALANCE = "rebalance"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a node should make ready for.

    ``at`` is by the wall clock: when a machine is taken away, or since when it is likely.
    """

    kind: NoticeKind
    at: datetime


class Surroundings(ABC):
    """Tells a node of its machine. Each question is asked anew, and takes seconds at most.

    Both may raise ServiceUnavailable, where nobody answers or the answer makes no sense.
    """

    @abstractmethod
    def who(self) -> Identity:
        """Return who the node is that asks, as far as its machine knows."""

    @abstractmethod
    def notice(self) -> Notice | None:
        """Return the gravest notice that stands, None for none."""
