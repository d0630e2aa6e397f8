from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from heapq import heapify, heapreplace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from media_nommer.core.nodes import NodeState
from media_nommer.core.schedule import read_window
from media_nommer.planning.fleet.scaling import (
    SERVING,
    FailedLaunches,
    FleetNode,
    FleetView,
    Limits,
    NodeKind,
    decide,
    hourly_cost,
    usual_boot,
    wait_after,
    within,
)

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)

LOCAL = NodeKind(name="local", slots=2)
#: As measured on EC2: 26 s to boot, billed for 60 s at least.
CLOUD = NodeKind(
    name="c7g",
    slots=2,
    price=0.58,
    boot=26 * SECOND,
    idle=30 * SECOND,
    billed_at_least=MINUTE,
)
LARGE = replace(CLOUD, name="c7g-large", slots=8, price=2.2)
LIMITS = Limits(max_nodes=3)
FEW = 60.0  # the seconds of a task of which nothing is known


def running(
    count: int = 1, kind: str = "local", **changes: object
) -> tuple[FleetNode, ...]:
    node = FleetNode(kind=kind, state=NodeState.RUNNING)
    return (replace(node, **changes),) * count  # type: ignore[arg-type]


def launching(count: int = 1, kind: str = "local") -> tuple[FleetNode, ...]:
    return running(count, kind, state=NodeState.LAUNCHING)


def draining(count: int = 1) -> tuple[FleetNode, ...]:
    return running(count, state=NodeState.DRAINING)


def tasks(count: int, seconds: float = FEW) -> tuple[float, ...]:
    return (seconds,) * count


def failed(count: int, ago: timedelta, cause: str = "") -> Mapping[str, FailedLaunches]:
    return {"local": FailedLaunches(count, ago, cause)}


@pytest.mark.parametrize(
    ("view", "limits", "expected"),
    [
        pytest.param(FleetView(), LIMITS, 0, id="nothing to do"),
        pytest.param(FleetView(waiting=tasks(1)), LIMITS, 1, id="one task"),
        pytest.param(FleetView(waiting=tasks(1, 0.1)), LIMITS, 1, id="a tiny one, too"),
        pytest.param(FleetView(waiting=tasks(2)), LIMITS, 1, id="one node has two slots"),
        pytest.param(FleetView(waiting=tasks(3)), LIMITS, 2, id="a third needs another"),
        pytest.param(FleetView(waiting=tasks(99)), LIMITS, 3, id="the limit holds"),
        pytest.param(
            FleetView(nodes=running(2), waiting=tasks(99)), LIMITS, 1, id="it counts all"
        ),
        pytest.param(
            FleetView(nodes=launching(), waiting=tasks(2)), LIMITS, 0, id="enough launch"
        ),
        pytest.param(
            FleetView(nodes=running(), waiting=tasks(1), working=tasks(1)),
            LIMITS,
            0,
            id="a slot is free",
        ),
        pytest.param(
            FleetView(nodes=running(), waiting=tasks(1), working=tasks(2)),
            LIMITS,
            1,
            id="no slot is free",
        ),
        pytest.param(
            FleetView(nodes=running(), waiting=tasks(1), working=tasks(2, 0.9)),
            LIMITS,
            0,
            id="a slot is free before a node is up",
        ),
        pytest.param(
            FleetView(nodes=draining(3), waiting=tasks(9)), LIMITS, 0, id="drainers count"
        ),
        pytest.param(
            FleetView(nodes=draining(), waiting=tasks(1)), LIMITS, 1, id="and take nothing"
        ),
        pytest.param(
            FleetView(nodes=running(1, "hand", slots=4, ours=False), waiting=tasks(4)),
            LIMITS,
            0,
            id="others may have the slots",
        ),
        pytest.param(
            FleetView(nodes=running(3, "hand", slots=1, ours=False), waiting=tasks(9)),
            LIMITS,
            3,
            id="and they take no place",
        ),
        pytest.param(FleetView(), replace(LIMITS, min_nodes=2), 2, id="kept for nothing"),
        pytest.param(
            FleetView(nodes=running()), replace(LIMITS, min_nodes=2), 1, id="one is there"
        ),
        pytest.param(
            FleetView(waiting=tasks(9)), replace(LIMITS, max_nodes=0), 0, id="none allowed"
        ),
        pytest.param(
            FleetView(waiting=tasks(9)), replace(LIMITS, on=False), 0, id="it is off"
        ),
        pytest.param(
            FleetView(waiting=tasks(9)),
            replace(LIMITS, on=False, min_nodes=1),
            1,
            id="off keeps min_nodes",
        ),
        pytest.param(
            FleetView(waiting=tasks(10)),
            replace(LIMITS, jobs_per_node=5),
            2,
            id="a node for every five",
        ),
        pytest.param(
            FleetView(waiting=tasks(3)),
            replace(LIMITS, jobs_per_node=1),
            3,
            id="a node for each",
        ),
        pytest.param(
            FleetView(nodes=running(), waiting=tasks(2), working=tasks(2)),
            replace(LIMITS, overflow_threshold=2),
            0,
            id="two too many wait",
        ),
        pytest.param(
            FleetView(nodes=running(), waiting=tasks(3), working=tasks(2)),
            replace(LIMITS, overflow_threshold=2),
            1,
            id="three do not",
        ),
        pytest.param(
            FleetView(waiting=tasks(1)),
            replace(LIMITS, overflow_threshold=9),
            1,
            id="where no node is, none has to wait",
        ),
        pytest.param(
            FleetView(waiting=tasks(9), failed=failed(1, SECOND / 2)),
            LIMITS,
            0,
            id="a launch failed just now",
        ),
        pytest.param(
            FleetView(waiting=tasks(9), failed=failed(1, SECOND)),
            LIMITS,
            1,
            id="after a failed launch one is tried",
        ),
        pytest.param(
            FleetView(nodes=launching(), waiting=tasks(9), failed=failed(1, MINUTE)),
            LIMITS,
            0,
            id="and no other while it comes up",
        ),
        pytest.param(
            FleetView(waiting=tasks(9), failed=failed(5, 15 * SECOND)),
            LIMITS,
            0,
            id="the wait doubles",
        ),
    ],
)
def test_how_many_local_nodes(view: FleetView, limits: Limits, expected: int) -> None:
    assert len(decide(view, limits, [LOCAL]).launches) == expected


WIDE = Limits(max_nodes=50)


@pytest.mark.parametrize(
    ("view", "limits", "expected"),
    [
        pytest.param(FleetView(waiting=tasks(1, 5)), WIDE, 1, id="somebody has to begin"),
        pytest.param(
            FleetView(nodes=running(1, "c7g"), waiting=tasks(1), working=tasks(2, 80)),
            WIDE,
            0,
            id="54 s of waiting are not worth the 60 that are billed",
        ),
        pytest.param(
            FleetView(nodes=running(1, "c7g"), waiting=tasks(1), working=tasks(2, 90)),
            WIDE,
            1,
            id="64 s are",
        ),
        pytest.param(
            FleetView(nodes=running(1, "c7g"), waiting=tasks(9, 2), working=tasks(2, 9)),
            WIDE,
            0,
            id="all is done before another is up",
        ),
        pytest.param(
            FleetView(nodes=launching(1, "c7g"), waiting=tasks(4, 29)),
            WIDE,
            0,
            id="two and two, 29 s each, are done by the one that launches",
        ),
        pytest.param(FleetView(waiting=tasks(20, 300)), WIDE, 10, id="long ones in a row"),
        pytest.param(
            FleetView(waiting=tasks(20, 300)),
            replace(WIDE, max_hourly_cost=2.5),
            4,
            id="four are affordable",
        ),
        pytest.param(
            FleetView(nodes=launching(4, "c7g"), waiting=tasks(20, 300)),
            replace(WIDE, max_hourly_cost=2.5),
            0,
            id="what launches is paid for, too",
        ),
        pytest.param(
            FleetView(nodes=running(1, "gone", price=2.0), waiting=tasks(20, 300)),
            replace(WIDE, max_hourly_cost=2.5),
            0,
            id="and what is no longer on offer",
        ),
        pytest.param(
            FleetView(nodes=running(1, "gone"), waiting=tasks(20, 300)),
            replace(WIDE, max_hourly_cost=1.2),
            1,
            id="one of unknown price costs as the dearest",
        ),
    ],
)
def test_how_many_nodes_that_cost_money(
    view: FleetView, limits: Limits, expected: int
) -> None:
    assert len(decide(view, limits, [CLOUD]).launches) == expected


def test_the_kind_that_does_the_work_for_least_is_started() -> None:
    few, many = FleetView(waiting=tasks(1)), FleetView(waiting=tasks(400, 600))

    assert decide(few, WIDE, [LARGE, CLOUD]).launches == ("c7g",)
    assert decide(many, WIDE, [LARGE, CLOUD]).launches[:40] == ("c7g-large",) * 40


def test_a_dear_kind_gives_way_where_it_is_not_affordable() -> None:
    view = FleetView(waiting=tasks(400, 600))

    found = decide(view, replace(WIDE, max_hourly_cost=3.4), [LARGE, CLOUD])

    assert sorted(found.launches) == ["c7g", "c7g", "c7g-large"]


def test_a_kind_whose_launches_fail_gives_way_to_another() -> None:
    view = FleetView(
        waiting=tasks(4, 300), failed={"c7g": FailedLaunches(3, SECOND, "no capacity")}
    )

    assert set(decide(view, WIDE, [LARGE, CLOUD]).launches) == {"c7g-large"}


@pytest.mark.parametrize(
    ("view", "limits", "words", "held_back_by"),
    [
        (FleetView(), LIMITS, "nothing waits", ""),
        (FleetView(waiting=tasks(9)), LIMITS, "max_nodes is 3", "max_nodes"),
        (FleetView(waiting=tasks(5, 50)), LIMITS, "3 local: waiting: 5, about 250 s", ""),
        (FleetView(), replace(LIMITS, min_nodes=1), "1 local: min_nodes is 1", ""),
        (
            FleetView(waiting=tasks(1), failed=failed(3, SECOND, "it never reported")),
            LIMITS,
            "3 launches of local came to nothing (it never reported); one is tried 4 s",
            "failed launches",
        ),
        (
            FleetView(waiting=tasks(1), failed=failed(1, MINUTE, "it never reported")),
            LIMITS,
            "1 local: waiting: 1, about 60 s of work; the last launch of local came to",
            "",
        ),
        (
            FleetView(nodes=running(), waiting=tasks(1), working=tasks(2)),
            replace(LIMITS, overflow_threshold=1),
            "overflow_threshold is 1",
            "overflow_threshold",
        ),
        (FleetView(nodes=running(), waiting=tasks(1)), LIMITS, "longer than 0 s", ""),
        (FleetView(waiting=tasks(1)), replace(LIMITS, on=False), "scaling is off", ""),
    ],
)
def test_the_reason_says_what_decided(
    view: FleetView, limits: Limits, words: str, held_back_by: str
) -> None:
    found = decide(view, limits, [LOCAL])

    assert words in found.reason
    assert found.held_back_by == held_back_by


def test_a_kind_that_boots_sooner_is_not_started_beside_enough_that_launch() -> None:
    quick = replace(CLOUD, name="quick", boot=SECOND, idle=SECOND, billed_at_least=SECOND)
    view = FleetView(nodes=launching(1, "c7g"), waiting=tasks(2))

    found = decide(view, WIDE, [CLOUD, quick])

    assert (found.launches, found.held_back_by) == ((), "jobs_per_node")
    assert "a slot for every task" in found.reason


def test_the_first_window_that_is_open_says_which_limits_are_in_force() -> None:
    schedule = (
        read_window("mon-fri 08:00-18:00 Europe/Berlin min=2 max=8"),
        read_window("sat,sun off"),
        read_window("max=1"),
    )
    limits = Limits(min_nodes=1, max_nodes=3, schedule=schedule)

    monday_noon = limits.at(datetime(2026, 6, 1, 12, tzinfo=UTC))
    sunday = limits.at(datetime(2026, 6, 7, 12, tzinfo=UTC))
    monday_night = limits.at(datetime(2026, 6, 1, 16, tzinfo=UTC))  # 18:00 in Berlin

    assert (monday_noon.min_nodes, monday_noon.max_nodes, monday_noon.on) == (2, 8, True)
    assert (sunday.min_nodes, sunday.max_nodes, sunday.on) == (1, 3, False)
    assert (monday_night.min_nodes, monday_night.max_nodes) == (1, 1)


def test_a_window_that_allows_fewer_than_are_kept_keeps_fewer() -> None:
    limits = Limits(min_nodes=2, max_nodes=3, schedule=(read_window("max=1"),))

    assert limits.at(datetime(2026, 6, 1, tzinfo=UTC)).min_nodes == 1


def test_failed_launches_are_waited_after_ever_longer_up_to_a_limit() -> None:
    waits = [wait_after(count, LIMITS) for count in (1, 2, 3, 99)]

    assert waits == [SECOND, 2 * SECOND, 4 * SECOND, 5 * MINUTE]


WORK = st.floats(0.1, 5000)
STATES = st.sampled_from([NodeState.LAUNCHING, NodeState.RUNNING, NodeState.DRAINING])
KINDS = st.lists(
    st.builds(
        NodeKind,
        name=st.sampled_from(["a", "b", "c"]),
        slots=st.integers(1, 8),
        speed=st.floats(0.25, 4),
        price=st.floats(0, 3),
        boot=st.floats(0, 120).map(lambda s: s * SECOND),
        idle=st.floats(0, 120).map(lambda s: s * SECOND),
        billed_at_least=st.sampled_from([timedelta(), MINUTE]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda kind: kind.name,
)
NODES = st.lists(
    st.builds(
        FleetNode,
        kind=st.sampled_from(["a", "b", "c", "no longer on offer"]),
        state=STATES,
        age=st.floats(0, 300).map(lambda s: s * SECOND),
        slots=st.integers(0, 8),
        ours=st.booleans(),
    ),
    max_size=6,
).map(tuple)
ALL_LIMITS = st.builds(
    Limits,
    on=st.booleans(),
    min_nodes=st.integers(0, 4),
    max_nodes=st.integers(0, 12),
    max_hourly_cost=st.none() | st.floats(0, 20),
    jobs_per_node=st.none() | st.integers(1, 10),
    overflow_threshold=st.integers(0, 10),
)
BACKLOG = st.lists(WORK, max_size=16).map(tuple)
VIEWS = st.builds(
    FleetView,
    nodes=NODES,
    waiting=BACKLOG,
    working=BACKLOG,
    failed=st.dictionaries(
        st.sampled_from(["a", "b", "c"]),
        st.builds(
            FailedLaunches, st.integers(0, 9), st.integers(0, 400).map(lambda s: s * SECOND)
        ),
    ),
)


def started(view: FleetView, kinds: list[str]) -> tuple[FleetNode, ...]:
    new = (FleetNode(kind=kind, state=NodeState.LAUNCHING) for kind in kinds)
    return (*view.nodes, *new)


@settings(deadline=None)
@given(VIEWS, ALL_LIMITS, KINDS)
def test_no_launch_crosses_a_limit(
    view: FleetView, limits: Limits, kinds: list[NodeKind]
) -> None:
    found = decide(view, limits, kinds)

    after = started(view, list(found.launches))
    assert not found.launches or within(after, limits, kinds)
    if not limits.on:
        serving = sum(n.ours and n.state in SERVING for n in after)
        assert not found.launches or serving <= limits.min_nodes
    for name, trouble in view.failed.items():
        if trouble.count:
            assert found.launches.count(name) <= 1


@settings(deadline=None)
@given(
    ALL_LIMITS,
    KINDS,
    st.lists(st.tuples(BACKLOG, st.integers(0, 11), STATES), max_size=8),
)
def test_no_history_of_answers_crosses_a_limit(
    limits: Limits,
    kinds: list[NodeKind],
    history: list[tuple[tuple[float, ...], int, NodeState]],
) -> None:
    """Nodes come up, drain and end as they like while the backlog goes up and down."""
    nodes: tuple[FleetNode, ...] = ()
    for waiting, which, becomes in history:
        view = FleetView(nodes=nodes, waiting=waiting)

        nodes = started(view, list(decide(view, limits, kinds).launches))

        assert not nodes or within(nodes, limits, kinds)
        assert hourly_cost(nodes, kinds) <= (limits.max_hourly_cost or 1e9) + 1e-6
        if nodes:
            changed = replace(nodes[which % len(nodes)], state=becomes)
            nodes = (
                changed,
                *nodes[: which % len(nodes)],
                *nodes[which % len(nodes) + 1 :],
            )


@settings(deadline=None)
@given(VIEWS, ALL_LIMITS, KINDS.map(lambda kinds: kinds[:1]), st.lists(WORK, max_size=8))
def test_more_tasks_never_mean_fewer_nodes(
    view: FleetView, limits: Limits, kinds: list[NodeKind], more: list[float]
) -> None:
    larger = replace(view, waiting=(*view.waiting, *more))

    before = decide(view, limits, kinds).launches

    assert len(decide(larger, limits, kinds).launches) >= len(before)


@settings(deadline=None)
@given(VIEWS, ALL_LIMITS, KINDS)
@example(
    FleetView(waiting=tasks(4, 1)),
    LIMITS,
    [NodeKind(name="a", boot=timedelta(), idle=2 * SECOND)],
)
def test_what_was_decided_is_not_decided_again(
    view: FleetView, limits: Limits, kinds: list[NodeKind]
) -> None:
    """What launches suffices: asked again at once, the answer is none."""
    first = decide(view, limits, kinds)
    after = replace(view, nodes=started(view, list(first.launches)))

    assert decide(after, limits, kinds).launches == ()


@settings(deadline=None)
@given(VIEWS, ALL_LIMITS, KINDS, st.data())
def test_what_was_decided_is_decided_again_where_only_some_of_it_was_done(
    view: FleetView, limits: Limits, kinds: list[NodeKind], data: st.DataObject
) -> None:
    """Launches of which some came to nothing are made up for, no more and no fewer."""
    first = list(decide(view, limits, kinds).launches)
    done = data.draw(st.integers(0, len(first)))
    after = replace(view, nodes=started(view, first[:done]))

    rest = list(decide(after, limits, kinds).launches)

    if not any(kind in view.failed for kind in first):
        assert first[:done] + rest == first


def beginnings(view: FleetView, kind: NodeKind) -> list[float]:
    """In how many seconds each waiting task begins if no node is added, told plainly."""
    free = [0.0] * sum(
        node.slots or kind.slots for node in view.nodes if node.state is NodeState.RUNNING
    )
    for index, left in enumerate(sorted(view.working, reverse=True)[: len(free)]):
        free[index] = left
    for node in view.nodes:
        if node.state is NodeState.LAUNCHING:
            boots_for = max((kind.boot - node.age).total_seconds(), 0.0)
            free += [boots_for] * (node.slots or kind.slots)
    heapify(free)
    found = []
    for work in view.waiting:
        found.append(free[0])
        heapreplace(free, free[0] + work)
    return found


@settings(deadline=None)
@given(
    st.builds(
        FleetView,
        nodes=st.lists(
            st.builds(
                FleetNode,
                kind=st.just("c7g"),
                state=st.sampled_from([NodeState.LAUNCHING, NodeState.RUNNING]),
                age=st.integers(0, 60).map(lambda s: s * SECOND),
            ),
            min_size=1,
            max_size=6,
        ).map(tuple),
        waiting=st.lists(st.floats(0.1, 60), max_size=40).map(tuple),
        working=st.lists(st.floats(0.1, 60), max_size=8).map(tuple),
    )
)
def test_no_node_is_started_that_would_find_nothing_to_do(view: FleetView) -> None:
    launches = decide(view, WIDE, [CLOUD]).launches

    boot, begins = CLOUD.boot.total_seconds(), beginnings(view, CLOUD)
    waits_longer = [at - boot for at in begins if at > boot]
    assert len(launches) <= len(waits_longer)
    assert len(launches) * CLOUD.overhead <= sum(waits_longer)


@pytest.mark.parametrize(
    ("boots", "expected"),
    [
        pytest.param([], 90, id="nothing is known"),
        pytest.param([30], 30, id="one tells"),
        pytest.param([30, 40, 600], 40, id="one that took long does not"),
        pytest.param([300] * 9 + [20] * 9, 20, id="what was long ago does not"),
        pytest.param([-5, 90_000], 90, id="nonsense does not"),
    ],
)
def test_a_boot_takes_as_long_as_the_last_ones_mostly_did(
    boots: list[int], expected: int
) -> None:
    found = usual_boot([number * SECOND for number in boots], 90 * SECOND)

    assert found == expected * SECOND
