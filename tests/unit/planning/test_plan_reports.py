"""What a report tells of outputs: the gates say what the check of them decided."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_nommer.core.errors import ExpectationMissed
from media_nommer.core.jobs import Job, JobId, Output, OutputState, PublishedFile
from media_nommer.core.recipes.base import Expect
from media_nommer.planning.gates import check_expected
from media_nommer.planning.reports import (
    bit_rate_of,
    codecs_of,
    gates_of,
    size_of,
    warnings_of,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NUMBERS = st.none() | st.integers(1, 100)
EXPECTED = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("max_size", "min_duration", "max_duration", "min_vmaf"), NUMBERS
    ),
)


def job_of(output: Output, expect: dict[str, Any] | None = None) -> Job:
    recipe = {"outputs": [{"kind": "file", "expect": expect}]}
    return Job(
        id=JobId("job-1"),
        recipe=recipe,
        source="file:///film.mp4",
        outputs=(output,),
        created_at=NOW,
        changed_at=NOW,
    )


def made(size: int, **facts: object) -> Output:
    file = PublishedFile(url="file:///out.mp4", size=size, sha256="")
    return Output(
        name="out.mp4",
        state=OutputState.FINISHED,
        files=(file,),
        facts={"format": "mov", **facts},
    )


@given(EXPECTED, st.integers(1, 100), NUMBERS, NUMBERS)
def test_the_gates_are_met_where_the_check_lets_an_output_through(
    expect: dict[str, Any], size: int, duration: int | None, vmaf: int | None
) -> None:
    output = made(size, duration=duration, measured={"vmaf": vmaf})

    gates = gates_of(job_of(output, expect), 0)

    try:
        check_expected(Expect(**expect), size, output.facts)
        missed = False
    except ExpectationMissed:
        missed = True
    assert {gate.name for gate in gates} == {k for k, v in expect.items() if v is not None}
    assert all(gate.met for gate in gates) != missed


def test_what_was_not_made_has_no_gates() -> None:
    assert gates_of(job_of(Output(name="a"), {"max_size": 1}), 0) == ()


@pytest.mark.parametrize(
    ("facts", "codecs"),
    [
        ({}, None),
        ({"codecs": "avc1.640028,mp4a.40.2"}, "avc1.640028,mp4a.40.2"),
        (
            {"renditions": [{"codecs": "a"}, {"codecs": "b"}, {"codecs": "a"}, {}]},
            "a,b",
        ),
    ],
)
def test_the_codecs_of_renditions_are_told_once(facts: Any, codecs: str | None) -> None:
    assert codecs_of(made(1, **facts)) == codecs


def test_the_bit_rate_is_that_of_all_files() -> None:
    output = made(1000, duration=2.0)

    assert (size_of(output), bit_rate_of(output)) == (1000, 4000)
    assert bit_rate_of(made(1000)) is None


def test_what_an_output_does_not_come_to_is_told() -> None:
    warning = "its sound: it comes to -18.2 LUFS, not -16"

    assert warnings_of(made(1, warnings=[warning])) == (warning,)
    assert warnings_of(made(1)) == ()
