from datetime import UTC, datetime, timedelta

import pytest

from media_nommer.cli.words import (
    ago_text,
    bytes_text,
    clock_text,
    count_text,
    percent_text,
    speed_text,
    took_text,
)

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        pytest.param(0, "0 B", id="nothing"),
        pytest.param(999, "999 B", id="below a unit"),
        pytest.param(1000, "1 kB", id="a unit"),
        pytest.param(12_345_678, "12.3 MB", id="three digits"),
        pytest.param(999_600, "1 MB", id="never a thousand of a unit"),
        pytest.param(123_456_789, "123 MB", id="no fraction from a hundred on"),
        pytest.param(5 * 10**12, "5 TB", id="the largest unit"),
    ],
)
def test_sizes_have_three_digits_that_matter(size: int, text: str) -> None:
    assert bytes_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (7.4, "0:07"), (59.9, "1:00"), (596, "9:56"), (3723, "1:02:03")],
)
def test_lengths_read_like_a_clock(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


def test_short_times_keep_a_tenth() -> None:
    assert (took_text(2.44), took_text(59.97), took_text(75)) == ("2.4 s", "1:00", "1:15")


def test_an_unknown_speed_is_not_shown() -> None:
    assert [speed_text(None), speed_text(3.24), speed_text(120.0)] == ["", "3.2x", "120x"]


def test_a_hundred_percent_is_only_said_of_all() -> None:
    assert [percent_text(f) for f in (0.0, 0.29, 0.999, 1.0)] == [
        "0%",
        "29%",
        "99%",
        "100%",
    ]


@pytest.mark.parametrize(
    ("gone", "text"),
    [
        (timedelta(seconds=-3), "0 s ago"),
        (timedelta(seconds=59), "59 s ago"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=26), "1 d ago"),
    ],
)
def test_moments_are_told_by_their_distance(gone: timedelta, text: str) -> None:
    assert ago_text(NOON - gone, NOON) == text


def test_nouns_agree_with_their_number() -> None:
    assert [count_text(1, "job"), count_text(1200, "job")] == ["1 job", "1,200 jobs"]
