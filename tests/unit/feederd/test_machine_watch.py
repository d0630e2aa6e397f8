from collections.abc import Callable
from datetime import timedelta

import pytest
from typing_extensions import override

from media_nommer.adapters.memory import MemoryFleet
from media_nommer.core.errors import ServiceUnavailable
from media_nommer.core.nodes import NodeId
from media_nommer.feederd.watching import MachineWatch
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import a_node

SECOND = timedelta(seconds=1)
NODE = NodeId("node-1")


class Fleet(MemoryFleet):
    """A fleet that takes work to look at, or does not answer, and counts who asks."""

    def __init__(self) -> None:
        super().__init__()
        self.worked = self.takes = 0.0
        self.away = False
        self.looks = 0

    @override
    def alive(self) -> frozenset[NodeId]:
        self.looks += 1
        if self.away:
            raise ServiceUnavailable("ec2 does not answer")
        self.worked += self.takes
        return super().alive()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def fleet() -> Fleet:
    fleet = Fleet()
    fleet.start(a_node(NODE))
    return fleet


def a_watch(fleet: Fleet, clock: ManualClock, on_end: Callable[[], None]) -> MachineWatch:
    return MachineWatch(fleet, on_end=on_end, clock=clock, worked=lambda: fleet.worked)


def test_it_tells_at_once_of_a_machine_that_ended(fleet: Fleet, clock: ManualClock) -> None:
    told: list[str] = []
    watch = a_watch(fleet, clock, lambda: told.append("ended"))
    watch.step()
    assert told == []

    fleet.end(NODE)

    assert watch.step() == 1
    assert watch.step() == 0
    assert told == ["ended"]


def test_it_rests_while_there_is_no_machine(fleet: Fleet, clock: ManualClock) -> None:
    watch = a_watch(fleet, clock, lambda: None)
    assert watch.quiet

    watch.step()
    assert not watch.quiet
    fleet.end(NODE)
    watch.step()

    assert watch.quiet


def test_a_fleet_that_does_not_answer_has_ended_no_machine(
    fleet: Fleet, clock: ManualClock
) -> None:
    watch = a_watch(fleet, clock, lambda: pytest.fail("none has"))
    watch.step()

    fleet.away = True

    assert watch.step() == 0
    assert not watch.quiet


def test_looks_at_a_large_fleet_take_a_tenth_of_a_core(
    fleet: Fleet, clock: ManualClock
) -> None:
    fleet.takes = 1.0
    watch = a_watch(fleet, clock, lambda: None)

    while clock.monotonic() < 100:
        watch.step()
        clock.advance(SECOND)

    assert fleet.looks == 11  # the first tells nothing yet


def test_one_look_that_takes_long_keeps_it_from_no_other(
    fleet: Fleet, clock: ManualClock
) -> None:
    """The first makes a client, which takes longer than many looks."""
    fleet.takes = 3.0
    watch = a_watch(fleet, clock, lambda: None)
    watch.step()
    fleet.takes = 0.01
    clock.advance(SECOND)

    watch.step()

    assert fleet.looks == 2


def test_a_machine_that_was_launched_while_it_rests_is_not_slept_over(
    fleet: Fleet, clock: ManualClock
) -> None:
    fleet.end(NODE)
    fleet.takes = 1.0
    watch = a_watch(fleet, clock, lambda: None)
    watch.step()
    watch.step()
    assert watch.quiet

    watch.step()

    assert fleet.looks == 2
    assert not watch.quiet
