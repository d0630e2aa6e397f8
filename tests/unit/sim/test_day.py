from dataclasses import replace
from datetime import timedelta

import pytest

from media_nommer.core.schedule import read_window
from media_nommer.planning.fleet.scaling import Limits
from media_nommer.sim.day import (
    KIND,
    LIMITS,
    films_of_a_day,
    main,
    simulate_day,
    simulate_ours,
)
from media_nommer.sim.policies import Keda, Sight, TargetTracking

FILM = ("encode", "web")


def sight(*, waiting: int = 0, working: int = 0, running: int = 0) -> Sight:
    return Sight(
        now=0.0,
        waiting=[FILM] * waiting,
        working=[(FILM, 1.0, 0.5)] * working,
        launching=[],
        running=running,
        draining=0,
    )


def test_ours_costs_less_than_the_others_and_crosses_no_limit() -> None:
    ours, *others = simulate_day(1)

    assert ours.most_nodes <= LIMITS.max_nodes
    assert {out.films for out in (ours, *others)} == {len(films_of_a_day(1))}
    assert all(ours.cost < other.cost for other in others)
    assert all(ours.idle < other.idle for other in others)


def test_the_same_seed_is_the_same_day() -> None:
    assert simulate_ours(3) == simulate_ours(3)


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        pytest.param(Limits(max_nodes=4), 4, id="max_nodes"),
        pytest.param(Limits(max_nodes=9, max_hourly_cost=3.0), 5, id="max_hourly_cost"),
        pytest.param(
            Limits(max_nodes=9, schedule=(read_window("max=5"),)), 5, id="schedule"
        ),
        pytest.param(Limits(max_nodes=9, min_nodes=4, on=False), 4, id="off"),
    ],
)
def test_a_whole_day_crosses_no_limit(limits: Limits, most: int) -> None:
    found = simulate_ours(1, limits=limits)

    assert found.most_nodes == most


def test_a_day_with_few_jobs_for_each_node_needs_more_of_them() -> None:
    packed = simulate_ours(1, limits=replace(LIMITS, jobs_per_node=20))
    spread = simulate_ours(1)

    assert packed.launches < spread.launches
    assert packed.wait_p95 > spread.wait_p95


def test_nodes_that_leave_sooner_are_idle_for_less() -> None:
    hasty = simulate_ours(1, replace(KIND, idle=timedelta(seconds=15)))

    assert hasty.idle < simulate_ours(1).idle


def test_target_tracking_waits_three_minutes_before_it_grows() -> None:
    policy = TargetTracking(20, wait=120.0, seconds_a_message=30.0)
    seen = sight(waiting=20, running=1)

    assert [policy.change(seen) for _ in range(3)] == [0, 0, 4]


def test_target_tracking_keeps_one_and_shrinks_after_fifteen_minutes() -> None:
    policy = TargetTracking(20, wait=120.0, seconds_a_message=30.0)

    assert policy.change(sight()) == 1
    assert [policy.change(sight(running=3)) for _ in range(15)] == [0] * 14 + [-2]


def test_keda_wants_one_for_every_five_messages_in_steps_of_four() -> None:
    assert Keda(20).change(sight(waiting=11)) == 3
    assert Keda(20).change(sight(waiting=6, working=6, running=1)) == 2
    assert Keda(20).change(sight(waiting=99)) == 4
    assert Keda(20).change(sight(waiting=99, running=6)) == 6
    assert Keda(7).change(sight(waiting=99, running=6)) == 1


def test_keda_shrinks_to_what_was_wanted_in_the_last_five_minutes() -> None:
    policy = Keda(20)
    policy.change(sight(waiting=20))

    assert [policy.change(sight(running=4)) for _ in range(20)] == [0] * 19 + [-4]


def test_the_table_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "2", "--max-nodes", "5"]) == 0

    told = capsys.readouterr().out
    assert "seed 2: 1655 films" in told
    assert all(name in told for name in ("media-nommer", "target tracking", "KEDA"))
