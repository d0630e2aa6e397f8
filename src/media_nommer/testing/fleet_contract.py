"""What every fleet must do: subclass ``FleetContract`` and give it a ``fleet``."""
# ruff: noqa: D102 - the name of a test is the sentence that it holds true

import time
from collections.abc import Callable

import pytest

from media_nommer.core.nodes import NodeId
from media_nommer.core.ports.fleet import Fleet
from media_nommer.testing.concurrency import at_once
from media_nommer.testing.samples import a_node

#: Seconds that a machine or process may take to come or go.
PATIENCE = 120.0


def eventually(condition: Callable[[], bool]) -> bool:
    """Return whether ``condition`` came true before patience ran out."""
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


class FleetContract:
    """Everything that is promised by ``Fleet``."""

    @pytest.fixture
    def fleet(self) -> Fleet:
        """Return a fleet without nodes; the fixture ends those that the test leaves."""
        raise NotImplementedError("give the suite a fleet")

    def drain(self, fleet: Fleet, node_id: NodeId) -> None:
        """Let a node that was asked to stop come to its end, where that needs help."""

    def launches(self, fleet: Fleet) -> int:
        """Count the machines or processes that were ever made."""
        raise NotImplementedError("tell the suite how many were made")

    def test_there_are_no_nodes_at_first(self, fleet: Fleet) -> None:
        assert fleet.alive() == frozenset()

    def test_a_started_node_is_alive(self, fleet: Fleet) -> None:
        fleet.start(a_node("node-1"))
        fleet.start(a_node("node-2"))

        assert eventually(lambda: fleet.alive() == {"node-1", "node-2"})

    def test_a_node_is_started_once_however_often_it_is_asked_for(
        self, fleet: Fleet
    ) -> None:
        """Whoever stored the intent may die before it hears of the launch."""
        at_once(lambda _: fleet.start(a_node()), threads=4)
        fleet.start(a_node())

        assert eventually(lambda: fleet.alive() == {"node-1"})
        assert self.launches(fleet) == 1

    def test_a_killed_node_is_gone_and_the_others_are_not(self, fleet: Fleet) -> None:
        fleet.start(a_node("node-1"))
        fleet.start(a_node("node-2"))

        fleet.kill(NodeId("node-1"))

        assert eventually(lambda: fleet.alive() == {"node-2"})

    def test_a_node_that_is_asked_to_stop_ends(self, fleet: Fleet) -> None:
        fleet.start(a_node())
        assert eventually(lambda: fleet.alive() == {"node-1"})

        fleet.stop(NodeId("node-1"))
        self.drain(fleet, NodeId("node-1"))

        assert eventually(lambda: fleet.alive() == frozenset())

    def test_ending_a_node_that_is_not_there_does_nothing(self, fleet: Fleet) -> None:
        fleet.stop(NodeId("nobody"))
        fleet.kill(NodeId("nobody"))

        assert fleet.alive() == frozenset()

    def test_a_node_can_be_ended_twice(self, fleet: Fleet) -> None:
        fleet.start(a_node())

        fleet.kill(NodeId("node-1"))
        fleet.kill(NodeId("node-1"))
        fleet.stop(NodeId("node-1"))

        assert eventually(lambda: fleet.alive() == frozenset())
