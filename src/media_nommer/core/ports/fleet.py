"""The machines, or local processes, that run ec2nommerd."""

from abc import ABC, abstractmethod

from media_nommer.core.nodes import Node, NodeId


class Fleet(ABC):
    """Starts nodes and knows which of them exist; nodes end themselves (rule 5).

    Every adapter must pass ``media_nommer.testing.fleet_contract``.
    """

    @abstractmethod
    def start(self, node: Node) -> None:
        """Start the machine that ``node`` is the stored intent of.

        The node's id makes it happen once, however often it is called.
        """

    @abstractmethod
    def alive(self) -> frozenset[NodeId]:
        """Return the ids of the nodes whose machines exist now."""

    @abstractmethod
    def stop(self, node_id: NodeId) -> None:
        """Ask a node to drain and end; nothing happens where there is none."""

    @abstractmethod
    def kill(self, node_id: NodeId) -> None:
        """End a node at once; nothing happens where there is none."""
