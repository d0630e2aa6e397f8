from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_nommer.core.jobs import Output
from media_nommer.core.nodes import NodeId
from media_nommer.core.tasks import Outcome, TaskKind
from media_nommer.planning.fleet.estimates import (
    UNKNOWN,
    Estimates,
    Sample,
    film_seconds_of,
    samples_of,
    seconds_left,
    traits_of,
)
from media_nommer.testing.clock import START
from media_nommer.testing.samples import a_job, a_task

WEB = ("encode", "web", "f1", "s3://films")
OTHER_PLACE = ("encode", "web", "f1", "s3://clips")


def learned(*samples: Sample) -> Estimates:
    return Estimates().learned(samples)


def test_what_was_never_seen_takes_a_minute() -> None:
    assert Estimates().of(WEB) == UNKNOWN == 60.0


def test_a_task_takes_as_long_as_those_like_it() -> None:
    known = learned(Sample(WEB, 100), Sample(WEB, 200), Sample(OTHER_PLACE, 3))

    assert known.of(WEB) == pytest.approx(150)
    assert known.of(OTHER_PLACE) == pytest.approx(3)


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        (("encode", "web", "f1", "s3://films"), 10),
        (("encode", "web", "f1", "s3://new"), 10),
        (("encode", "web", "f2", "s3://films"), 20),
        (("encode", "small", "f1", "s3://films"), 30),
        (("audio", "web", "f1", "s3://films"), 40),
    ],
)
def test_the_most_special_traits_that_are_known_count(
    traits: tuple[str, ...], expected: float
) -> None:
    known = learned(
        Sample(("assemble",), 70),
        Sample(("encode", "x", "x", "x"), 50),
        Sample(("encode", "web", "x", "x"), 30),
        Sample(WEB, 10),
    )

    assert known.of(traits) == pytest.approx(expected)


def test_a_film_of_known_length_takes_in_proportion() -> None:
    known = learned(Sample(WEB, 100, film_seconds=50), Sample(WEB, 300, film_seconds=150))

    assert known.of(WEB, film_seconds=10) == pytest.approx(20)
    assert known.of(WEB) == pytest.approx(200)


def test_new_samples_count_for_more_than_old_ones() -> None:
    known = learned(*[Sample(WEB, 10)] * 100, *[Sample(WEB, 100)] * 10)

    assert 85 < known.of(WEB) < 100


def test_what_is_remembered_is_bounded_and_the_newest() -> None:
    known = learned(*(Sample(("encode", f"preset-{n}"), n) for n in range(5000)))

    assert len(known.known) == 1000
    assert known.of(("encode", "preset-4999")) == 4999


@given(st.lists(st.floats(0.01, 1e5), min_size=1, max_size=30))
def test_an_estimate_lies_between_what_was_seen(seconds: list[float]) -> None:
    known = learned(*(Sample(WEB, value) for value in seconds))

    assert min(seconds) * 0.999 <= known.of(WEB) <= max(seconds) * 1.001


@pytest.mark.parametrize(
    ("estimate", "elapsed", "progress", "expected"),
    [
        pytest.param(100, 0, 0.0, 100, id="just begun"),
        pytest.param(100, 60, 0.0, 40, id="by the estimate"),
        pytest.param(100, 60, 0.5, 60, id="its progress tells better"),
        pytest.param(100, 60, 1.0, 6, id="done but for publishing"),
        pytest.param(100, 200, 0.0, 20, id="longer than thought"),
        pytest.param(100, -5, 0.0, 100, id="begun by a clock that is ahead"),
    ],
)
def test_what_is_left_of_a_task(
    estimate: float, elapsed: float, progress: float, expected: float
) -> None:
    assert seconds_left(estimate, elapsed, progress) == pytest.approx(expected)


def test_jobs_of_the_same_outputs_and_place_are_alike() -> None:
    job = replace(a_job(1), presets=("web",), source="https://h/films/a.mov?token=1")
    like_it = replace(job, id=a_job(2).id, source="https://h/films/b.mov")
    elsewhere = replace(job, source="https://h/clips/b.mov")
    other = replace(job, recipe={"outputs": [{"preset": "small"}]})

    traits = traits_of(job, TaskKind.INSPECT)

    assert traits == traits_of(like_it, TaskKind.INSPECT)
    assert traits[:3] == traits_of(elsewhere, TaskKind.INSPECT)[:3]
    assert traits[:2] == traits_of(other, TaskKind.INSPECT)[:2]
    assert traits[:3] != traits_of(other, TaskKind.INSPECT)[:3]


def test_what_came_to_nothing_is_no_sample() -> None:
    node, lease = NodeId("n"), timedelta(seconds=30)
    minute = timedelta(minutes=1)
    lost = a_task().claimed(node, lease=lease, at=START)
    again = lost.claimed(node, lease=lease, at=START + 9 * minute)
    done = again.committed(Outcome.SUCCEEDED, at=START + 10 * minute)
    failed = a_task("b").claimed(node, lease=lease, at=START)
    failed = failed.committed(Outcome.FAILED, at=START + minute)
    job = replace(a_job(), outputs=(Output(name="web", facts={"duration": 30.5}),))

    assert samples_of(job, [failed, done]) == [
        Sample(traits_of(job, TaskKind.INSPECT), 60.0, 30.5)
    ]


def test_the_longest_output_says_how_long_the_film_is() -> None:
    outputs = tuple(
        Output(name="x", facts=facts)
        for facts in ({"duration": 3}, {"duration": 9.5}, {}, {"duration": None})
    )

    assert film_seconds_of(replace(a_job(), outputs=outputs)) == 9.5
    assert film_seconds_of(a_job()) is None
