"""Which of several reasons to leave counts, and how long work goes on."""

import math
from datetime import timedelta

import pytest

from media_nommer.core.errors import AccessDenied, HandedBack, Reclaimed
from media_nommer.core.ports.surroundings import Notice, NoticeKind
from media_nommer.ec2nommerd.reasons import Reasons
from media_nommer.testing.clock import ManualClock

SECOND = timedelta(seconds=1)
DRAIN = 30 * SECOND


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def reasons(clock: ManualClock) -> Reasons:
    return Reasons(clock, drain_timeout=DRAIN, refused_for=60 * SECOND)


def a_reclaim(clock: ManualClock, seconds: float = 120) -> Notice:
    return Notice(NoticeKind.RECLAIM, clock.now() + seconds * SECOND)


def a_rebalance(clock: ManualClock) -> Notice:
    return Notice(NoticeKind.REBALANCE, clock.now())


def test_without_a_reason_a_node_stays_and_works(reasons: Reasons) -> None:
    assert (reasons.why, reasons.fault) == ("", "")
    assert reasons.work_until == math.inf
    assert reasons.reclaim_leaves is None


def test_one_who_is_asked_works_on_for_a_while_and_one_asked_twice_does_not(
    reasons: Reasons, clock: ManualClock
) -> None:
    clock.advance(5 * SECOND)
    reasons.ask()
    clock.advance(5 * SECOND)

    assert reasons.why == "it was asked to leave"
    assert reasons.work_until == 35
    reasons.ask()
    assert reasons.work_until <= clock.monotonic()


def test_a_recommendation_ends_no_work(reasons: Reasons, clock: ManualClock) -> None:
    reasons.take(a_rebalance(clock))

    assert reasons.why == "its machine is likely to be taken back"
    assert reasons.work_until == math.inf
    assert reasons.reclaim_leaves is None


def test_a_reclaim_ends_work_half_a_minute_before_the_machine(
    reasons: Reasons, clock: ManualClock
) -> None:
    reasons.take(a_rebalance(clock))
    reasons.take(a_reclaim(clock))
    reasons.take(a_rebalance(clock))
    clock.advance(20 * SECOND)

    assert reasons.why == "its machine is taken back at 00:02:00 UTC"
    assert reasons.work_until == 90
    assert reasons.reclaim_leaves == 70
    clock.advance(80 * SECOND)
    assert reasons.reclaim_leaves == 0


def test_a_reclaim_seen_again_leaves_no_more_time(
    reasons: Reasons, clock: ManualClock
) -> None:
    reasons.take(a_reclaim(clock))
    clock.advance(20 * SECOND)

    reasons.take(a_reclaim(clock))

    assert reasons.work_until == 90


def test_a_request_and_a_reclaim_end_work_with_the_earlier_of_the_two(
    reasons: Reasons, clock: ManualClock
) -> None:
    reasons.take(a_reclaim(clock))
    reasons.ask()

    assert reasons.work_until == 30


def test_a_wall_clock_that_jumps_moves_no_deadline(
    reasons: Reasons, clock: ManualClock
) -> None:
    reasons.take(a_reclaim(clock))

    clock.jump(timedelta(hours=5))

    assert reasons.reclaim_leaves == 90


def test_a_node_that_is_set_aside_stops_work_and_says_why(reasons: Reasons) -> None:
    reasons.ask()
    reasons.set_aside("all fails")
    reasons.set_aside("all fails again")

    assert reasons.why == reasons.fault == "it was set aside: all fails"
    assert reasons.work_until == -math.inf


def test_who_is_refused_for_a_while_can_never_work(
    reasons: Reasons, clock: ManualClock
) -> None:
    refusal = AccessDenied("dynamodb refuses GetItem")
    reasons.refused("taking", refusal)
    clock.advance(59 * SECOND)
    reasons.refused("taking", refusal)
    assert reasons.fault == ""

    clock.advance(SECOND)
    reasons.refused("taking", refusal)

    assert reasons.fault == "it was set aside: dynamodb refuses GetItem"


def test_refusals_count_only_in_a_row_and_each_for_itself(
    reasons: Reasons, clock: ManualClock
) -> None:
    refusal = AccessDenied("not yet")
    reasons.refused("taking", refusal)
    clock.advance(60 * SECOND)
    reasons.granted("taking")

    reasons.refused("taking", refusal)
    reasons.refused("beating", refusal)
    clock.advance(59 * SECOND)
    reasons.granted("beating")
    reasons.refused("taking", refusal)

    assert reasons.why == ""


def test_work_that_a_reclaim_stops_says_so(reasons: Reasons, clock: ManualClock) -> None:
    reasons.ask()
    assert type(reasons.to_hand_back("node n1")) is HandedBack

    reasons.take(a_reclaim(clock))

    why = reasons.to_hand_back("node n1")
    assert isinstance(why, Reclaimed)
    assert why.message == "node n1: its machine is taken back at 00:02:00 UTC"
