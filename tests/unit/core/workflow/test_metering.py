"""Each second of a node is split evenly among the attempts that run in it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_nommer.core.shares import Share
from media_nommer.core.workflow.metering import Meter, Stint
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import SPOT


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_a_second_that_two_attempts_run_in_is_half_of_each() -> None:
    clock = ManualClock()
    meter = Meter(clock)

    first = meter.begin()
    clock.advance(seconds(10))
    second = meter.begin()
    clock.advance(seconds(6))
    first.end()
    clock.advance(seconds(2))
    second.end()
    clock.advance(seconds(100))

    assert (first.share.seconds, second.share.seconds) == (13, 5)


def test_a_share_tells_what_the_node_runs_on_as_it_is_known_then() -> None:
    clock = ManualClock()
    meter = Meter(clock)
    stint = meter.begin()
    before = stint.share

    meter.runs_on(SPOT, kind="ec2")
    clock.advance(seconds(1))

    assert before == Share()
    assert stint.share == Share(seconds=1, kind="ec2", machine=SPOT)
    assert meter.nothing == Share(kind="ec2", machine=SPOT)


def test_what_is_not_on_record_was_not_worked() -> None:
    clock = ManualClock()
    meter = Meter(clock)
    stint = meter.begin()
    clock.advance(seconds(3))
    stint.is_on_record(stint.share)
    clock.advance(seconds(4))

    stint.end()

    assert stint.share.seconds == 7
    assert meter.worked == 3


def test_what_comes_late_on_record_counts_nothing_twice() -> None:
    clock = ManualClock()
    meter = Meter(clock)
    stint = meter.begin()
    clock.advance(seconds(1))
    early = stint.share
    clock.advance(seconds(1))

    stint.is_on_record(stint.share)
    stint.is_on_record(early)
    stint.is_on_record(stint.share)

    assert meter.worked == 2


Step = tuple[int, float]


@given(
    st.lists(
        st.tuples(st.integers(-1, 3), st.floats(0, 1000, allow_nan=False)), max_size=60
    )
)
def test_shares_and_idle_time_come_to_the_time_that_passed(steps: list[Step]) -> None:
    """Whatever begins and ends when: -1 begins an attempt, others end one of those."""
    clock = ManualClock()
    meter = Meter(clock)
    running: list[Stint] = []
    ended: list[Stint] = []
    idle = elapsed = 0.0

    for which, pause in steps:
        clock.advance(seconds(pause))
        passed = seconds(pause).total_seconds()
        elapsed += passed
        idle += passed if not running else 0.0
        if which < 0:
            running.append(meter.begin())
        elif which < len(running):
            ended.append(running.pop(which))
            ended[-1].end()
            ended[-1].end()

    shares = sum(stint.share.seconds for stint in (*running, *ended))
    assert shares + idle == pytest.approx(elapsed, abs=1e-6)
    for stint in (*running, *ended):
        stint.is_on_record(stint.share)
    assert meter.worked == pytest.approx(shares, abs=1e-6)
