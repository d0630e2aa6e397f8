import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from media_nommer.adapters.memory import (
    MemoryFleet,
    MemoryQueue,
    MemoryStorage,
    MemoryStore,
)
from media_nommer.core.clock import system_clock
from media_nommer.core.errors import AccessDenied, DataDirInUse, ServiceUnavailable
from media_nommer.core.nodes import NodeId
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.duties import Chore, Duties
from media_nommer.feederd.running import Loop, Signals, drain_fleet, sole_user
from media_nommer.testing.samples import a_node

HOUR = timedelta(hours=1)


class Fleet(MemoryFleet):
    """A fleet whose nodes end after so many requests to stop, or never."""

    def __init__(self, signals: Signals, *, requests: int) -> None:
        super().__init__()
        self._left = requests
        self._signals = signals
        self.killed: list[NodeId] = []

    @override
    def stop(self, node_id: NodeId) -> None:
        super().stop(node_id)
        self._left -= 1
        if not self._left:
            self.end(node_id)
        self._signals.asked += 1  # somebody is impatient

    @override
    def kill(self, node_id: NodeId) -> None:
        self.killed.append(node_id)
        super().kill(node_id)


@pytest.mark.parametrize(("requests", "killed"), [(1, 0), (2, 0), (3, 1)])
def test_nodes_are_asked_to_stop_then_hurried_then_killed(
    requests: int, killed: int
) -> None:
    signals = Signals()
    signals.asked = 1
    fleet = Fleet(signals, requests=requests)
    fleet.start(a_node())

    assert drain_fleet(fleet, signals, patience=HOUR) == killed

    assert len(fleet.killed) == killed
    assert not fleet.alive()


def test_a_data_directory_has_one_feederd_and_its_name_stays(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with (
        sole_user(data_dir) as first,
        pytest.raises(DataDirInUse, match="already runs on"),
        sole_user(data_dir),
    ):
        pass

    with sole_user(data_dir) as second:
        assert second == first


def test_a_data_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with (
        pytest.raises(AccessDenied, match="cannot be written to"),
        sole_user(tmp_path / "file" / "data"),
    ):
        pass


def eventually(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.005)


def test_a_loop_goes_on_whatever_goes_wrong_in_a_step() -> None:
    store = MemoryStore()
    queue = MemoryQueue(system_clock)
    engine = Engine(store, queue, MemoryStorage(), "memory://w", system_clock)
    troubles: list[Exception] = [ServiceUnavailable("gone"), ValueError("a mistake")]
    done = threading.Event()

    def step() -> None:
        if troubles:
            raise troubles.pop()
        done.set()

    soon = timedelta(milliseconds=5)
    loop = Loop(Chore("chore", "duty", soon, step), Duties(engine, "me"))
    with capture_logs() as logs:
        loop.start()
        assert done.wait(120)
    loop.stop()
    loop.join(120)

    assert [line["event"] for line in logs] == ["chore_broken", "chore_failed"]


def test_a_loop_can_be_woken() -> None:
    engine = Engine(
        MemoryStore(), MemoryQueue(system_clock), MemoryStorage(), "w", system_clock
    )
    steps: list[int] = []
    loop = Loop(Chore("chore", "duty", HOUR, lambda: steps.append(1)), Duties(engine, "me"))
    loop.start()
    eventually(lambda: len(steps) == 1)

    loop.wake()

    eventually(lambda: len(steps) == 2)
    loop.stop()
    loop.join(120)
