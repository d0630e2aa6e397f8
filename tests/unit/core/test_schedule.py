from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_nommer.core.schedule import Window, read_window, window_at

#: A Monday.
MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "after", "covered"),
    [
        ("mon max=1", 0 * HOUR, True),
        ("mon max=1", 23.9 * HOUR, True),
        ("mon max=1", 24 * HOUR, False),
        ("mon-wed,sun max=1", 2 * DAY, True),
        ("mon-wed,sun max=1", 3 * DAY, False),
        ("mon-wed,sun max=1", 6 * DAY, True),
        ("sat-mon max=1", 0 * HOUR, True),
        ("sat-mon max=1", DAY, False),
        ("08:00-18:00 max=1", 8 * HOUR, True),
        ("08:00-18:00 max=1", 18 * HOUR, False),
        ("18:00-24:00 max=1", 23.5 * HOUR, True),
        ("mon 22:00-06:00 max=1", 23 * HOUR, True),
        ("mon 22:00-06:00 max=1", DAY + 5 * HOUR, True),
        ("mon 22:00-06:00 max=1", DAY + 6 * HOUR, False),
        ("mon 22:00-06:00 max=1", 5 * HOUR, False),
        ("mon 22:00-06:00 max=1", DAY + 23 * HOUR, False),
        ("mon Europe/Berlin max=1", -1.9 * HOUR, True),
        ("mon Europe/Berlin max=1", 22 * HOUR, False),
    ],
)
def test_when_a_window_is_open(text: str, after: timedelta, covered: bool) -> None:
    assert read_window(text).covers(MONDAY + after) is covered


def test_a_window_is_open_by_the_clock_on_the_wall_of_its_zone() -> None:
    window = read_window("08:00-09:00 Europe/Berlin max=1")

    assert window.covers(datetime(2026, 6, 1, 6, 30, tzinfo=UTC))
    assert window.covers(datetime(2026, 12, 1, 7, 30, tzinfo=UTC))


def test_of_several_open_windows_the_first_counts() -> None:
    first, second = read_window("mon max=1"), read_window("max=2")

    assert window_at((first, second), MONDAY) == first
    assert window_at((first, second), MONDAY + DAY) == second
    assert window_at((first,), MONDAY + DAY) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mon",
        "mon-fri 08:00-18:00",
        "monday max=1",
        "08:00-25:00 max=1",
        "8-18 max=1",
        "Europe max=1",
        "Europe/Nowhere max=1",
        "../etc/passwd max=1",
        "max=-1",
        "min=3 max=2",
        "max=1 max=2",
        "mon tue max=1",
    ],
)
def test_a_text_that_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_window(text)


MINUTES = st.builds(time, st.integers(0, 23), st.integers(0, 59))


@given(
    st.builds(
        Window,
        days=st.frozensets(st.integers(0, 6), min_size=1),
        start=MINUTES,
        end=MINUTES,
        zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York"]),
        min_nodes=st.none() | st.integers(0, 5),
        max_nodes=st.none() | st.integers(5, 99),
        off=st.just(True),
    )
)
def test_a_window_reads_back_as_it_was_written(window: Window) -> None:
    assert read_window(str(window)) == window
