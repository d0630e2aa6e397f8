"""Nodes that are no more than entries in a table; who made the fleet plays their part."""

import socket
import threading
from collections.abc import Mapping

from typing_extensions import override

from media_nommer.core.nodes import Machine, Node, NodeId
from media_nommer.core.ports.fleet import Fleet


class MemoryFleet(Fleet):
    """Remembers what was asked of which node.

    A node that was asked to stop stays alive until ``end`` says that it has drained.
    """

    def __init__(self) -> None:
        self._host = socket.gethostname()
        self._lock = threading.Lock()
        self._started: dict[NodeId, Node] = {}
        self._alive: dict[NodeId, Machine] = {}
        self._stopping: set[NodeId] = set()

    @override
    def start(self, node: Node) -> Machine:
        """Start the node, once for its id."""
        machine = Machine(name=f"memory-{node.id}", started_at=node.created_at)
        with self._lock:
            if node.id not in self._started:
                self._started[node.id] = node
                self._alive[node.id] = machine
            return machine

    @override
    def machines(self) -> Mapping[NodeId, Machine]:
        """Return the machines of the nodes that exist now."""
        with self._lock:
            return dict(self._alive)

    @override
    def answers_for(self, node: Node) -> bool:
        """Return whether a node's machine is an entry here, or could be."""
        return node.kind == "local" and node.host == self._host

    @override
    def stop(self, node_id: NodeId) -> None:
        """Note that a node shall drain and end; nothing happens where there is none."""
        with self._lock:
            if node_id in self._alive:
                self._stopping.add(node_id)

    @override
    def kill(self, node_id: NodeId) -> None:
        """End a node at once; nothing happens where there is none."""
        self.end(node_id)

    def started(self) -> tuple[Node, ...]:
        """Return every node that was ever started, in that order."""
        with self._lock:
            return tuple(self._started.values())

    def stopping(self) -> frozenset[NodeId]:
        """Return the ids of the living nodes that were asked to stop."""
        with self._lock:
            return frozenset(self._stopping)

    def end(self, node_id: NodeId) -> None:
        """Play the end of a node: its machine is gone."""
        with self._lock:
            self._alive.pop(node_id, None)
            self._stopping.discard(node_id)
