import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from media_nommer.adapters.local import LocalFleet
from media_nommer.core.ports.fleet import Fleet
from media_nommer.testing.fleet_contract import FleetContract, eventually
from media_nommer.testing.samples import a_node

_NODE = """
import os, pathlib, signal, sys
pathlib.Path("started", f"{sys.argv[-1]}.{os.getpid()}").touch()
signal.sigwait({signal.SIGTERM})
"""
_BLOCKING = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM});"


def a_local_fleet(data_dir: Path) -> LocalFleet:
    return LocalFleet(data_dir, [sys.executable, "-c", _BLOCKING + _NODE], dict(os.environ))


class TestLocalFleet(FleetContract):
    @pytest.fixture
    def data_dir(self, tmp_path: Path) -> Path:
        (tmp_path / "started").mkdir()
        return tmp_path

    @pytest.fixture
    def fleet(self, data_dir: Path) -> Iterator[Fleet]:
        fleet = a_local_fleet(data_dir)
        yield fleet
        for node_id in fleet.alive():
            fleet.kill(node_id)
        assert eventually(lambda: not fleet.alive() and not fleet._children)

    def launches(self, fleet: Fleet) -> int:
        assert isinstance(fleet, LocalFleet)
        started = fleet._data_dir / "started"
        assert eventually(lambda: any(started.iterdir()))
        return len(list(started.iterdir()))

    def test_a_later_fleet_sees_and_ends_the_nodes_of_a_former_one(
        self, fleet: Fleet, data_dir: Path
    ) -> None:
        fleet.start(a_node())

        later = a_local_fleet(data_dir)
        later.start(a_node())

        assert later.alive() == {"node-1"}
        later.kill(a_node().id)
        assert eventually(lambda: later.alive() == frozenset())

    def test_a_node_whose_process_ended_is_not_started_again(
        self, fleet: Fleet, data_dir: Path
    ) -> None:
        fleet.start(a_node())
        fleet.kill(a_node().id)
        assert eventually(lambda: fleet.alive() == frozenset())

        fleet.start(a_node())

        assert fleet.alive() == frozenset()

    def test_a_node_that_was_never_launched_is_not_taken_for_one_that_was(
        self, fleet: Fleet, data_dir: Path
    ) -> None:
        """Its starter died between making the file and making the process."""
        (data_dir / "nodes").mkdir()
        (data_dir / "nodes" / "node-1.lock").touch()

        fleet.start(a_node())

        assert fleet.alive() == {"node-1"}

    def test_a_process_that_got_the_number_of_a_dead_node_is_not_killed(
        self, fleet: Fleet, data_dir: Path
    ) -> None:
        (data_dir / "nodes").mkdir()
        (data_dir / "nodes" / "node-1.lock").write_text(str(os.getpid()))

        fleet.kill(a_node().id)

        assert fleet.alive() == frozenset()
