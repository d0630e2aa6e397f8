from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_nommer.core.jobs import Output
from media_nommer.core.nodes import NodeId
from media_nommer.core.presets import load_presets
from media_nommer.core.recipes import parse_recipe
from media_nommer.core.recipes.documents import Recipe
from media_nommer.core.tasks import Outcome
from media_nommer.planning.fleet.scaling import NodeKind
from media_nommer.planning.forecasts import (
    PastJob,
    Range,
    costs,
    forecast,
    likeness_of,
    past_job,
    table_of_recipe,
)
from media_nommer.testing.clock import START
from media_nommer.testing.samples import a_job, a_task

WANTED = ("web", "f1", "s3://films")
SECOND = timedelta(seconds=1)


def past(*seconds: float, traits: tuple[str, ...] = WANTED) -> list[PastJob]:
    """Return jobs whose films lasted ten seconds."""
    return [PastJob(traits, each, 10.0) for each in seconds]


def recipe(*presets: str, **video: object) -> Recipe:
    outputs: list[dict[str, object]] = [{"preset": preset} for preset in presets]
    if video:
        outputs.append({"kind": "file", "container": "mp4", "video": video, "audio": None})
    document = {"inputs": [{"url": "file:///f.mov"}], "outputs": outputs}
    return parse_recipe(document, load_presets())


def test_the_most_like_jobs_count_and_are_told() -> None:
    known = [
        *past(100, 120),
        *past(1, traits=("web", "f1", "s3://clips")),
        *past(2, traits=("web", "f2", "s3://films")),
    ]

    same = forecast(WANTED, known, film_seconds=None, table=9)
    elsewhere = forecast(("web", "f1", "s3://x"), known, film_seconds=None, table=9)
    other = forecast(("web", "f9", "s3://x"), known, film_seconds=None, table=9)

    assert (same.jobs, same.work.likely) == (2, 110)
    assert (elsewhere.jobs, other.jobs) == (3, 4)
    assert same.basis == "2 past jobs of the same outputs and folder"
    assert other.basis == "4 past jobs of the same presets"


def test_jobs_without_presets_are_not_alike_for_that() -> None:
    known = past(5, traits=("", "f1", "x"))

    found = forecast(("", "f2", "x"), known, film_seconds=60, table=2)

    assert (found.jobs, found.work.likely) == (0, 120)


def test_a_film_of_known_length_takes_its_length_times_the_rate() -> None:
    found = forecast(WANTED, past(20, 30), film_seconds=100, table=9)

    assert found.work.likely == pytest.approx(250)
    assert found.work.low <= 200
    assert found.work.high >= 300


def test_more_jobs_make_a_range_narrower() -> None:
    one = forecast(WANTED, past(10), film_seconds=None, table=1).work
    many = forecast(WANTED, past(*[10] * 20), film_seconds=None, table=1).work

    assert (one.low, one.high) == (5, 20)
    assert many.high - many.low < (one.high - one.low) / 10


def test_where_nothing_is_learned_a_table_says_so_and_is_wide() -> None:
    known = forecast(WANTED, [], film_seconds=100, table=0.5)
    unknown = forecast(WANTED, [], film_seconds=None, table=0.5)

    assert (known.jobs, known.work.likely) == (0, 50)
    assert "nothing learned yet" in known.basis
    assert "no length" in unknown.basis
    assert unknown.work.low < known.work.low
    assert unknown.work.high > known.work.high


@given(
    st.lists(st.floats(0.1, 1e5), max_size=10),
    st.one_of(st.none(), st.floats(0.1, 1e5)),
    st.floats(0.01, 100),
)
def test_the_likely_is_never_outside_the_range(
    seconds: list[float], film: float | None, table: float
) -> None:
    found = forecast(WANTED, past(*seconds), film_seconds=film, table=table)

    assert 0 < found.work.low <= found.work.likely * (1 + 1e-9)
    assert found.work.likely <= found.work.high * (1 + 1e-9)


def test_a_past_job_tells_what_its_last_run_took() -> None:
    job = replace(
        a_job(presets=("web",)), outputs=(Output(name="x", facts={"duration": 40.0}),)
    )
    lease = timedelta(seconds=30)
    task = a_task().claimed(NodeId("n"), lease=lease, at=START)
    task = task.set_back(at=START + 99 * SECOND, ready_at=START)
    task = task.claimed(NodeId("n"), lease=lease, at=START)
    task = task.committed(Outcome.SUCCEEDED, at=START + 20 * SECOND)

    found = past_job(job, [task])

    assert (found.seconds, found.film_seconds) == (20, 40)
    assert found.traits == likeness_of(job)
    assert found.traits[0] == "web"


def test_costs_go_from_beside_others_to_alone_on_a_new_node() -> None:
    kind = NodeKind(
        name="ec2", slots=4, speed=2, price=3.6, boot=90 * SECOND, idle=60 * SECOND
    )

    (found,) = costs(Range(80, 100, 400), [kind])

    assert found.low == pytest.approx(80 / 8 * 0.001)
    assert found.high == pytest.approx((90 + 200 + 60) * 0.001)


def test_a_node_without_a_price_is_not_said_to_cost_nothing() -> None:
    (found,) = costs(Range(80, 100, 400), [NodeKind(name="ec2", priced=False)])

    assert (found.low, found.high) == (None, None)


def test_the_table_knows_what_costs_more() -> None:
    small, web, webm = (table_of_recipe(recipe(p)) for p in ("web-small", "web", "webm"))
    slow = table_of_recipe(recipe(codec="h264", speed="veryslow"))
    sound = table_of_recipe(recipe("podcast"))
    both = table_of_recipe(recipe("web", "webm"))

    assert sound < small < web < webm < both < web + webm
    assert slow > 3 * table_of_recipe(recipe(codec="h264"))
