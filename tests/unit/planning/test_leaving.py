"""What is worth going on with on a machine that goes away."""

from datetime import timedelta

import pytest

from media_nommer.planning.fleet.leaving import HAND_BACK_TAKES, is_hopeless, time_to_work

TWO_MINUTES = timedelta(minutes=2)


@pytest.mark.parametrize(
    ("reclaimed_in", "left"),
    [
        (TWO_MINUTES, TWO_MINUTES - HAND_BACK_TAKES),
        (timedelta(seconds=50), timedelta(seconds=20)),
        (HAND_BACK_TAKES, timedelta()),
        (timedelta(seconds=5), timedelta()),
        (timedelta(hours=-1), timedelta()),  # a clock that is wrong
        (timedelta(hours=+1), TWO_MINUTES - HAND_BACK_TAKES),
    ],
)
def test_the_last_half_minute_of_a_notice_is_for_handing_back(
    reclaimed_in: timedelta, left: timedelta
) -> None:
    assert time_to_work(reclaimed_in) == left


@pytest.mark.parametrize(
    ("elapsed", "progress", "left", "hopeless"),
    [
        (600, 0.5, 90, True),  # ten minutes more
        (600, 0.9, 90, False),  # a minute more
        (600, 0.83, 90, False),  # two minutes more: a film may get easier
        (600, 0.99, 0.1, True),
        (600, 1.0, 0, False),  # all but put in its place
        (2, 0.0, 90, False),  # it has only begun
        (30, 0.0, 90, True),  # it takes long to begin, so it takes long
        (30, 0.01, 90, True),
        (0, 0.0, 0, False),
        (-5, 0.5, 10, False),  # the wall clock was set back
    ],
)
def test_only_what_surely_comes_too_late_is_given_up(
    elapsed: float, progress: float, left: float, hopeless: bool
) -> None:
    assert is_hopeless(elapsed=elapsed, progress=progress, left=left) is hopeless
