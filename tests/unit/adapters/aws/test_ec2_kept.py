from datetime import timedelta

import pytest

from media_nommer.adapters.aws.ec2.kept import Kept
from media_nommer.testing.clock import ManualClock

MINUTE = timedelta(minutes=1)


class Source:
    """Gives numbers that count up, unless it is broken."""

    def __init__(self) -> None:
        self.count = 0
        self.broken = False

    def fetch(self) -> int:
        self.count += 1
        if self.broken:
            raise ValueError("broken")
        return self.count


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def kept(source: Source, clock: ManualClock) -> Kept[int]:
    """A value that is good for as many minutes as it says."""
    return Kept(source.fetch, lambda value: value * MINUTE, clock)


def test_a_value_is_fetched_again_when_it_is_too_old_and_not_before(
    kept: Kept[int], clock: ManualClock
) -> None:
    seen = []
    for _ in range(4):
        seen.append(kept.get())
        clock.advance(MINUTE)

    assert seen == [1, 2, 2, 3]


def test_a_value_that_was_forgotten_is_fetched_again(kept: Kept[int]) -> None:
    kept.get()

    kept.forget()

    assert kept.get() == 2


def test_a_fetch_that_failed_is_tried_again_at_the_next_question(
    kept: Kept[int], source: Source
) -> None:
    source.broken = True
    with pytest.raises(ValueError, match="broken"):
        kept.get()

    source.broken = False

    assert kept.get() == 2
