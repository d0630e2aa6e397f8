"""The machines, or local processes, that run ec2nommerd."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from media_nommer.core.nodes import Machine, Node, NodeId


class Fleet(ABC):
    """Starts nodes and knows which of them exist; nodes end themselves (rule 5).

    Every adapter must pass ``media_nommer.testing.fleet_contract``.
    """

    @property
    def outlives_feederd(self) -> bool:
        """Whether its nodes work on when feederd ends, rather than be asked to end too."""
        return False

    @abstractmethod
    def start(self, node: Node) -> Machine:
        """Start the machine that ``node`` is the stored intent of, and return it.

        The node's id makes it happen once, however often it is called.

        Raises:
            LaunchFailed: nothing was started for this node, and nothing ever will be.
            NommerError: it was not started, or that is not known; it may be called again.
        """

    @abstractmethod
    def machines(self) -> Mapping[NodeId, Machine]:
        """Return the machines that exist now, by the nodes that they were started for.

        Those that ended lately may be among them, with the time at which they did.
        """

    @abstractmethod
    def answers_for(self, node: Node) -> bool:
        """Return whether a node is one of this fleet's.

        One that is has no machine if ``machines`` does not show one.
        """

    def knows_end(self, node_id: NodeId) -> bool:
        """Return whether the end that ``machines`` shows is when it was, to a second or so.

        If not it is when the end was found out, after a time without a look.
        """
        return True

    def alive(self) -> frozenset[NodeId]:
        """Return the ids of the nodes whose machines exist now."""
        found = self.machines().items()
        return frozenset(node for node, machine in found if machine.ended_at is None)

    @abstractmethod
    def stop(self, node_id: NodeId) -> None:
        """Ask a node to drain and end; nothing happens where there is none."""

    @abstractmethod
    def kill(self, node_id: NodeId) -> None:
        """End a node at once; nothing happens where there is none."""
