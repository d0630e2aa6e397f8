"""Into which tasks a job is cut."""

import pytest
from planning_media import FILM, plans_of

from media_nommer.planning.tasks import PlannedTask, Policy, plan_tasks, threads_for

OUTPUTS = (
    {"preset": "web"},
    {"preset": "mp3"},
    {"preset": "webm"},
    {"preset": "thumbnails"},
)
WHOLE = (("encode-0", "encode", (), (0, 1, 2, 3)),)


def shape(tasks: tuple[PlannedTask, ...]) -> tuple[tuple[object, ...], ...]:
    return tuple((task.key, task.kind, task.needs, task.outputs) for task in tasks)


@pytest.mark.parametrize(
    "policy", [Policy(nodes=1, split_above=10), Policy(nodes=4, split_above=3600)]
)
def test_one_node_or_a_short_film_is_one_task(policy: Policy) -> None:
    tasks = plan_tasks(FILM, plans_of(FILM, *OUTPUTS), policy)

    assert shape(tasks) == WHOLE
    assert tasks[0].weight == 1


def test_more_nodes_share_what_is_not_the_film() -> None:
    tasks = plan_tasks(FILM, plans_of(FILM, *OUTPUTS), Policy(nodes=2, split_above=300))

    assert shape(tasks) == (
        ("encode-0", "encode", (), (0, 2)),
        ("audio-0", "audio", (), (1,)),
        ("thumbnails-0", "thumbnails", (), (3,)),
        ("assemble-0", "assemble", ("encode-0", "audio-0", "thumbnails-0"), ()),
    )
    assert tasks[0].weight > 0.5


def test_work_of_one_kind_is_not_cut() -> None:
    plans = plans_of(FILM, {"preset": "web"}, {"preset": "webm"})

    assert len(plan_tasks(FILM, plans, Policy(nodes=9, split_above=1))) == 1


@pytest.mark.parametrize(
    ("slots", "cores", "threads"), [(1, 2, 2), (2, 2, 1), (4, 2, 1), (1, 64, 8), (0, 4, 4)]
)
def test_threads(slots: int, cores: int, threads: int) -> None:
    assert threads_for(slots, cores) == threads
