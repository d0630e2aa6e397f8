from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from media_nommer.adapters.aws.ec2.ends import Ends, told_at
from media_nommer.adapters.aws.ec2.instances import Listed
from media_nommer.core.nodes import Machine, NodeId

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ALIVE = Listed(NodeId("node-1"), Machine(name="i-1"), over=False)
OVER = replace(ALIVE, over=True)


def told(at: datetime) -> Listed:
    return replace(OVER, machine=replace(OVER.machine, ended_at=at))


def test_a_machine_ended_between_the_two_looks_that_saw_it() -> None:
    ends = Ends()

    ends.see([ALIVE], NOON)
    ends.see([OVER], NOON + SECOND)
    ends.see([OVER], NOON + 60 * SECOND)

    assert ends.ended_at("i-1") == NOON + SECOND / 2
    assert ends.knows("i-1")


@pytest.mark.parametrize("before", [[], [ALIVE]])
def test_an_end_that_nobody_watched_is_not_known_but_when_it_was_found(
    before: list[Listed],
) -> None:
    ends = Ends()

    ends.see(before, NOON - 600 * SECOND)
    ends.see([OVER], NOON)
    ends.see([OVER], NOON + SECOND)

    assert ends.ended_at("i-1") == NOON
    assert not ends.knows("i-1")


def test_what_ec2_tells_of_an_end_counts_also_where_it_does_so_late() -> None:
    ends = Ends()

    ends.see([OVER], NOON)
    ends.see([told(NOON - 9 * SECOND)], NOON + SECOND)

    assert ends.ended_at("i-1") == NOON - 9 * SECOND
    assert ends.knows("i-1")


def test_a_machine_that_is_listed_no_more_is_forgotten() -> None:
    ends = Ends()
    ends.see([ALIVE], NOON)
    ends.see([OVER], NOON + SECOND)

    ends.see([], NOON + 2 * SECOND)

    assert not ends.knows("i-1")


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Sun, 22 Nov 2026 12:00:01 GMT", NOON),  # our clock knows better than a second
        ("Sun, 22 Nov 2026 12:00:09 GMT", NOON + 9.5 * SECOND),
        ("Sun, 22 Nov 2026 11:00:00 GMT", NOON - 3599.5 * SECOND),
        ("soon", NOON),
        ("", NOON),
    ],
)
def test_a_moment_is_one_of_ec2s_clock_where_ours_is_off(
    date: str, moment: datetime
) -> None:
    answer = {"ResponseMetadata": {"HTTPHeaders": {"date": date}}}

    assert told_at(answer, NOON) == moment


def test_an_answer_without_a_date_came_when_it_came() -> None:
    assert told_at({}, NOON) == NOON
