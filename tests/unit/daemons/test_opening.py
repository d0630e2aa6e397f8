"""A daemon that starts before what it needs waits for it, and not for ever."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from media_nommer.core.errors import InvalidSetting, ServiceUnavailable
from media_nommer.daemons.opening import AskedToStop, patiently

MINUTE = timedelta(minutes=1)


class Clock:
    """Time that passes in pauses alone."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


def away_until(clock: Clock, moment: float) -> Callable[[], float]:
    """A step that succeeds from a moment on, with the time at which it did."""

    def step() -> float:
        if clock.now < moment:
            raise ServiceUnavailable("it does not answer")
        return clock.now

    return step


def test_what_is_away_for_ten_minutes_is_waited_for() -> None:
    clock = Clock()

    found = patiently(away_until(clock, 600), pause=clock.pause, now=clock)

    assert 600 <= found < 625


def test_what_stays_away_ends_the_wait_with_what_was_said() -> None:
    clock = Clock()

    with pytest.raises(ServiceUnavailable, match="does not answer"):
        patiently(
            away_until(clock, 1e9),
            patience=MINUTE,
            pause=clock.pause,
            now=clock,
            dice=lambda _low, high: high,
        )

    assert 30 < clock.now <= 60


def test_what_is_wrong_for_good_is_not_waited_for() -> None:
    clock = Clock()

    def step() -> None:
        raise InvalidSetting("no such store")

    with pytest.raises(InvalidSetting):
        patiently(step, pause=clock.pause, now=clock)

    assert clock.now == 0


def test_one_who_waits_stops_when_asked_to() -> None:
    clock = Clock()

    with pytest.raises(AskedToStop):
        patiently(
            away_until(clock, 600),
            asked_to_stop=lambda: clock.now > 5,
            pause=clock.pause,
            now=clock,
        )

    assert clock.now < 6


def test_tries_of_many_are_not_made_at_the_same_moments() -> None:
    moments = []
    for part in (0.0, 1.0):
        clock = Clock()

        def dice(low: float, high: float, part: float = part) -> float:
            return low + (high - low) * part

        moments.append(
            patiently(away_until(clock, 100), pause=clock.pause, now=clock, dice=dice)
        )

    assert moments[0] != moments[1]
