from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import override

from media_nommer.adapters.memory import (
    MemoryFleet,
    MemoryQueue,
    MemoryStorage,
    MemoryStore,
)
from media_nommer.core.errors import StorageError
from media_nommer.core.nodes import Node, NodeState
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.scaler import (
    FleetPolicy,
    FleetView,
    Scaler,
    nodes_to_start,
    wait_after,
)
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import a_node, a_task

POLICY = FleetPolicy(max_nodes=3, slots=2)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("view", "policy", "expected"),
    [
        pytest.param(FleetView(), POLICY, 0, id="nothing to do"),
        pytest.param(FleetView(backlog=1), POLICY, 1, id="one task"),
        pytest.param(FleetView(backlog=2), POLICY, 1, id="one node has two slots"),
        pytest.param(FleetView(backlog=3), POLICY, 2, id="a third task needs a second"),
        pytest.param(FleetView(backlog=99), POLICY, 3, id="the limit holds"),
        pytest.param(
            FleetView(serving=2, capacity=4, backlog=99), POLICY, 1, id="it counts all"
        ),
        pytest.param(
            FleetView(serving=1, capacity=2, backlog=2), POLICY, 0, id="enough launch"
        ),
        pytest.param(
            FleetView(draining=3, backlog=9), POLICY, 0, id="who drains is still there"
        ),
        pytest.param(
            FleetView(draining=1, backlog=1), POLICY, 1, id="who drains takes nothing"
        ),
        pytest.param(
            FleetView(capacity=4, backlog=4), POLICY, 0, id="others may have the slots"
        ),
        pytest.param(
            FleetView(), replace(POLICY, min_nodes=2), 2, id="some are kept for nothing"
        ),
        pytest.param(
            FleetView(serving=1, capacity=2),
            replace(POLICY, min_nodes=2),
            1,
            id="those there are count as kept",
        ),
        pytest.param(
            FleetView(backlog=9), replace(POLICY, max_nodes=0), 0, id="none allowed"
        ),
        pytest.param(
            FleetView(backlog=9, failed_launches=1, since_last_launch=SECOND / 2),
            POLICY,
            0,
            id="a launch failed just now",
        ),
        pytest.param(
            FleetView(backlog=9, failed_launches=1, since_last_launch=SECOND),
            POLICY,
            1,
            id="after a failed launch one is tried",
        ),
        pytest.param(
            FleetView(backlog=9, failed_launches=5, since_last_launch=15 * SECOND),
            POLICY,
            0,
            id="the wait doubles",
        ),
    ],
)
def test_nodes_to_start(view: FleetView, policy: FleetPolicy, expected: int) -> None:
    assert nodes_to_start(view, policy) == expected


COUNT = st.integers(0, 50)


@given(COUNT, COUNT, COUNT, COUNT, st.integers(0, 5), st.integers(0, 9), COUNT)
def test_the_limits_are_never_crossed(
    serving: int,
    draining: int,
    backlog: int,
    failed: int,
    least: int,
    more: int,
    capacity: int,
) -> None:
    policy = FleetPolicy(min_nodes=least, max_nodes=least + more, slots=2)
    view = FleetView(
        serving=serving,
        draining=draining,
        capacity=capacity,
        backlog=backlog,
        failed_launches=failed,
    )

    count = nodes_to_start(view, policy)

    assert 0 <= count <= max(0, policy.max_nodes - serving - draining)
    assert count or backlog <= capacity or serving + draining >= policy.max_nodes


@given(st.integers(1, 10_000))
def test_the_wait_after_failed_launches_has_a_limit(failed: int) -> None:
    wait = wait_after(failed, POLICY)

    assert POLICY.relaunch_after <= wait <= POLICY.relaunch_limit


class BrokenFleet(MemoryFleet):
    broken = True

    @override
    def start(self, node: Node) -> None:
        if self.broken:
            raise StorageError("no processes left")
        super().start(node)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def engine(clock: ManualClock) -> Engine:
    return Engine(MemoryStore(), MemoryQueue(clock), MemoryStorage(), "memory://w", clock)


def backlog(engine: Engine, count: int) -> None:
    for number in range(count):
        engine.store.add_task(a_task(f"t{number}"))


def test_a_started_node_is_on_record_as_launching(engine: Engine) -> None:
    fleet = MemoryFleet()
    backlog(engine, 3)

    Scaler(engine, fleet, POLICY).step()

    nodes = engine.store.nodes()
    assert [node.state for node in nodes] == [NodeState.LAUNCHING] * 2
    assert {node.id for node in nodes} == fleet.alive()


def test_what_is_launching_is_not_launched_again(engine: Engine) -> None:
    fleet = MemoryFleet()
    backlog(engine, 3)
    scaler = Scaler(engine, fleet, POLICY)

    scaler.step()
    scaler.step()

    assert len(fleet.started()) == 2


def test_an_intent_whose_call_failed_is_called_again(engine: Engine) -> None:
    """Rule 9: the intent is stored first, and its id makes the launch happen once."""
    fleet = BrokenFleet()
    backlog(engine, 1)
    scaler = Scaler(engine, fleet, POLICY)
    scaler.step()

    fleet.broken = False
    Scaler(engine, fleet, POLICY).step()

    assert [node.id for node in engine.store.nodes()] == sorted(fleet.alive())
    assert len(fleet.started()) == 1


def test_ids_of_later_nodes_are_larger(engine: Engine, clock: ManualClock) -> None:
    backlog(engine, 1)
    scaler = Scaler(engine, MemoryFleet(), POLICY)
    scaler.step()
    clock.advance(SECOND)
    first = {node.id for node in engine.store.nodes()}
    for number in range(10, 13):
        engine.store.add_task(a_task(f"t{number}"))

    scaler.step()

    later = {node.id for node in engine.store.nodes()} - first
    assert later
    assert min(later) > max(first)


def test_as_many_nodes_as_min_nodes_says_are_kept(engine: Engine) -> None:
    backlog(engine, 9)

    Scaler(engine, MemoryFleet(), replace(POLICY, min_nodes=1)).step()

    assert sum(node.kept for node in engine.store.nodes()) == 1


def test_running_nodes_become_kept_before_others_are_started(engine: Engine) -> None:
    running = a_node("n1").moved_to(NodeState.RUNNING, at=engine.clock.now())
    engine.store.add_node(replace(running, slots=2))
    fleet = MemoryFleet()

    Scaler(engine, fleet, replace(POLICY, min_nodes=1)).step()

    assert engine.store.nodes()[0].kept
    assert not fleet.started()


def test_nodes_are_let_go_when_fewer_shall_be_kept(engine: Engine) -> None:
    running = a_node("n1").moved_to(NodeState.RUNNING, at=engine.clock.now())
    engine.store.add_node(replace(running, slots=2, kept=True))

    Scaler(engine, MemoryFleet(), POLICY).step()

    assert not engine.store.nodes()[0].kept


def test_nodes_that_die_before_they_report_are_replaced_ever_more_rarely(
    engine: Engine, clock: ManualClock
) -> None:
    backlog(engine, 1)
    scaler = Scaler(engine, MemoryFleet(), POLICY)
    launches = 0

    for _ in range(60):
        launches += scaler.step()
        for node in engine.store.nodes():
            engine.store.swap_node(node.moved_to(NodeState.GONE, at=clock.now()))
        clock.advance(SECOND)

    assert 5 <= launches <= 7


def test_a_node_started_by_hand_takes_work_and_no_place(engine: Engine) -> None:
    by_hand = replace(a_node("n1"), kind="hand", slots=2, state=NodeState.RUNNING)
    engine.store.add_node(by_hand)
    fleet = MemoryFleet()
    scaler = Scaler(engine, fleet, replace(POLICY, max_nodes=1))
    backlog(engine, 2)
    assert scaler.step() == 0

    engine.store.add_task(a_task("one-more"))

    assert scaler.step() == 1
