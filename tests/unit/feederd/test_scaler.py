from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from typing_extensions import override

from media_nommer.adapters.memory import (
    MemoryFleet,
    MemoryQueue,
    MemoryStorage,
    MemoryStore,
)
from media_nommer.core.errors import InvalidSetting, NoCapacity, StorageError
from media_nommer.core.nodes import Machine, Node, NodeState
from media_nommer.core.schedule import read_window
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.scaler import Scaler
from media_nommer.planning.fleet.scaling import Limits, NodeKind
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import a_node, a_task

LIMITS = Limits(max_nodes=3)
LOCAL = NodeKind(name="local", slots=2)
SECOND = timedelta(seconds=1)


def local() -> Sequence[NodeKind]:
    return [LOCAL]


class BrokenFleet(MemoryFleet):
    broken = True

    @override
    def start(self, node: Node) -> Machine:
        if self.broken:
            raise StorageError("no processes left")
        return super().start(node)


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

    Scaler(engine, fleet, LIMITS, local).step()

    nodes = engine.store.nodes()
    assert [node.state for node in nodes] == [NodeState.LAUNCHING] * 2
    assert {node.id for node in nodes} == fleet.alive()


def test_what_is_launching_is_not_launched_again(engine: Engine) -> None:
    fleet = MemoryFleet()
    backlog(engine, 3)
    scaler = Scaler(engine, fleet, LIMITS, local)

    scaler.step()
    scaler.step()

    assert len(fleet.started()) == 2


def test_an_intent_whose_call_failed_is_called_again(engine: Engine) -> None:
    """Rule 9: the intent is stored first, and its id makes the launch happen once."""
    fleet = BrokenFleet()
    backlog(engine, 1)
    scaler = Scaler(engine, fleet, LIMITS, local)
    scaler.step()

    fleet.broken = False
    Scaler(engine, fleet, LIMITS, local).step()

    assert [node.id for node in engine.store.nodes()] == sorted(fleet.alive())
    assert len(fleet.started()) == 1


def test_ids_of_later_nodes_are_larger(engine: Engine, clock: ManualClock) -> None:
    backlog(engine, 1)
    scaler = Scaler(engine, MemoryFleet(), LIMITS, local)
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

    Scaler(engine, MemoryFleet(), replace(LIMITS, min_nodes=1), local).step()

    assert sum(node.kept for node in engine.store.nodes()) == 1


def test_running_nodes_become_kept_before_others_are_started(engine: Engine) -> None:
    running = a_node("n1").moved_to(NodeState.RUNNING, at=engine.clock.now())
    engine.store.add_node(replace(running, slots=2))
    fleet = MemoryFleet()

    Scaler(engine, fleet, replace(LIMITS, min_nodes=1), local).step()

    assert engine.store.nodes()[0].kept
    assert not fleet.started()


def test_nodes_are_let_go_when_fewer_shall_be_kept(engine: Engine) -> None:
    running = a_node("n1").moved_to(NodeState.RUNNING, at=engine.clock.now())
    engine.store.add_node(replace(running, slots=2, kept=True))

    Scaler(engine, MemoryFleet(), LIMITS, local).step()

    assert not engine.store.nodes()[0].kept


def test_nodes_that_die_before_they_report_are_replaced_ever_more_rarely(
    engine: Engine, clock: ManualClock
) -> None:
    backlog(engine, 1)
    scaler = Scaler(engine, MemoryFleet(), LIMITS, local)
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
    scaler = Scaler(engine, fleet, replace(LIMITS, max_nodes=1), local)
    backlog(engine, 2)
    assert scaler.step() == 0

    engine.store.add_task(a_task("one-more"))

    assert scaler.step() == 1


def test_while_launches_fail_one_is_tried_at_a_time(
    engine: Engine, clock: ManualClock
) -> None:
    backlog(engine, 9)
    dead = a_node("n1").moved_to(NodeState.GONE, at=clock.now(), detail="it never reported")
    engine.store.add_node(dead)
    scaler = Scaler(engine, MemoryFleet(), LIMITS, local)
    clock.advance(SECOND)

    started = [scaler.step(), scaler.step(), scaler.step()]

    assert started == [1, 0, 0]


def test_nothing_is_started_where_a_slot_is_free_before_a_node_is_up(
    engine: Engine, clock: ManualClock
) -> None:
    running = a_node("n1").moved_to(NodeState.RUNNING, at=clock.now())
    engine.store.add_node(replace(running, slots=1))
    backlog(engine, 2)
    task = engine.store.get_task(a_task("t0").id)
    held = task.claimed(running.id, lease=SECOND, at=clock.now())
    clock.advance(10 * SECOND)
    scaler = Scaler(engine, MemoryFleet(), LIMITS, local)
    almost_done = engine.store.swap_task(held.beaten(progress=0.95, at=clock.now()))
    assert scaler.step() == 0

    engine.store.swap_task(replace(almost_done, progress=0.5))

    assert scaler.step() == 1


def test_what_a_draining_node_holds_waits(engine: Engine, clock: ManualClock) -> None:
    draining = replace(a_node("n1"), state=NodeState.DRAINING, slots=1)
    engine.store.add_node(draining)
    held = a_task().claimed(draining.id, lease=SECOND, at=clock.now())
    engine.store.add_task(held)

    assert Scaler(engine, MemoryFleet(), LIMITS, local).step() == 1


def test_nothing_is_started_for_a_task_that_rests(
    engine: Engine, clock: ManualClock
) -> None:
    ready_at = clock.now() + 60 * SECOND
    engine.store.add_task(replace(a_task(), ready_at=ready_at))
    scaler = Scaler(engine, MemoryFleet(), LIMITS, local)
    assert scaler.step() == 0

    clock.advance(59 * SECOND)

    assert scaler.step() == 1


def test_the_limits_are_those_of_the_hour(engine: Engine, clock: ManualClock) -> None:
    at_night = read_window("22:00-06:00 max=1")
    backlog(engine, 9)
    fleet = MemoryFleet()
    scaler = Scaler(engine, fleet, replace(LIMITS, schedule=(at_night,)), local)

    scaler.step()
    clock.advance(timedelta(hours=5, minutes=59))
    scaler.step()
    assert len(fleet.started()) == 1

    clock.advance(timedelta(minutes=1))
    scaler.step()
    assert len(fleet.started()) == 3


class Meanwhile(MemoryStore):
    """A store in which something happens just before an intent is stored."""

    happens: Callable[[], object] | None = None

    @override
    def add_node(self, node: Node) -> Node:
        happens, self.happens = self.happens, None
        if happens:
            happens()
        return super().add_node(node)


def test_two_scalers_at_once_start_no_more_than_the_limit(clock: ManualClock) -> None:
    store, fleet = Meanwhile(), MemoryFleet()
    engine = Engine(store, MemoryQueue(clock), MemoryStorage(), "memory://w", clock)
    backlog(engine, 9)
    one, other = (Scaler(engine, fleet, LIMITS, local) for _ in range(2))
    store.happens = other.step

    assert one.step() == 0

    assert len(fleet.started()) == LIMITS.max_nodes
    assert {node.id for node in store.nodes()} == fleet.alive()


def test_a_withdrawn_intent_is_no_failed_launch(clock: ManualClock) -> None:
    store, fleet = Meanwhile(), MemoryFleet()
    engine = Engine(store, MemoryQueue(clock), MemoryStorage(), "memory://w", clock)
    backlog(engine, 9)
    one, other = (Scaler(engine, fleet, LIMITS, local) for _ in range(2))
    store.happens = other.step
    one.step()
    for node in store.nodes():
        ran = store.swap_node(replace(node, slots=2))
        store.swap_node(ran.moved_to(NodeState.GONE, at=clock.now()))

    assert one.step() == 3


def test_a_scaler_that_comes_back_knows_what_runs(engine: Engine) -> None:
    fleet = MemoryFleet()
    backlog(engine, 9)
    Scaler(engine, fleet, LIMITS, local).step()

    assert Scaler(engine, fleet, LIMITS, local).step() == 0

    assert len(fleet.started()) == 3


class EmptyFleet(MemoryFleet):
    """A fleet that has no machine, for the reason that it is given."""

    why = "EC2 launched no machine: spot: UnfulfillableCapacity (none)"

    @override
    def start(self, node: Node) -> Machine:
        raise NoCapacity(self.why)


def test_a_node_that_nothing_was_launched_for_is_gone_at_once_and_says_why(
    engine: Engine,
) -> None:
    backlog(engine, 1)

    Scaler(engine, EmptyFleet(), LIMITS, local).step()

    (node,) = engine.store.nodes(gone=True)
    assert (node.state, node.detail) == (NodeState.GONE, EmptyFleet.why)


def test_the_reason_why_launches_fail_is_that_of_the_decision(
    engine: Engine, clock: ManualClock
) -> None:
    backlog(engine, 1)
    scaler = Scaler(engine, EmptyFleet(), LIMITS, local)
    for _ in range(3):
        scaler.step()

    decided = scaler.decided

    assert decided is not None
    assert decided.at == clock.now()
    assert decided.decision.held_back_by == "failed launches"
    assert EmptyFleet.why in decided.decision.reason


def test_where_something_may_come_of_a_launch_yet_the_intent_stays_and_says_why_not(
    engine: Engine,
) -> None:
    backlog(engine, 1)

    Scaler(engine, BrokenFleet(), LIMITS, local).step()

    (node,) = engine.store.nodes()
    assert (node.state, node.detail) == (NodeState.LAUNCHING, "no processes left")


def test_a_launch_that_succeeds_in_the_end_leaves_no_reason(engine: Engine) -> None:
    backlog(engine, 1)
    fleet = BrokenFleet()
    scaler = Scaler(engine, fleet, LIMITS, local)
    scaler.step()

    fleet.broken = False
    scaler.step()

    (node,) = engine.store.nodes()
    assert (node.detail, node.machine.name) == ("", f"memory-{node.id}")


class JoiningFleet(MemoryFleet):
    """A fleet whose nodes join before it answers that they were started."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine

    @override
    def start(self, node: Node) -> Machine:
        latest = self._engine.store.get_node(node.id)
        own = Machine(name=f"memory-{node.id}", type="own type", zone="here")
        joined = latest.moved_to(NodeState.RUNNING, at=self._engine.clock.now())
        self._engine.store.swap_node(replace(joined, machine=own, slots=2, detail="mine"))
        return replace(super().start(node), type="another", price=0.5)


def test_what_a_node_knows_of_its_machine_stays_and_the_price_is_added(
    engine: Engine,
) -> None:
    backlog(engine, 1)

    Scaler(engine, JoiningFleet(engine), LIMITS, local).step()

    (node,) = engine.store.nodes()
    assert (node.state, node.detail) == (NodeState.RUNNING, "mine")
    assert (node.machine.type, node.machine.zone) == ("own type", "here")
    assert node.machine.price == 0.5


def test_each_node_counts_at_its_own_price(engine: Engine) -> None:
    """One that had to be started on demand costs more than its kind was to."""
    dear = NodeKind(name="local", slots=1, price=0.1)
    running = a_node("n1").moved_to(NodeState.RUNNING, at=engine.clock.now())
    engine.store.add_node(replace(running, slots=1, machine=Machine(price=0.35)))
    backlog(engine, 9)
    limits = replace(LIMITS, max_nodes=9, max_hourly_cost=0.5)

    assert Scaler(engine, MemoryFleet(), limits, lambda: [dear]).step() == 1


def test_what_is_on_offer_is_asked_at_each_step(engine: Engine) -> None:
    dear = NodeKind(name="local", slots=2, price=2.0)
    offer = [dear]
    limits = replace(LIMITS, max_hourly_cost=1.0)
    scaler = Scaler(engine, MemoryFleet(), limits, lambda: offer)
    backlog(engine, 1)
    assert scaler.step() == 0

    offer[:] = [replace(dear, price=0.5)]

    assert scaler.step() == 1


def test_where_nothing_can_be_decided_that_is_what_was_decided(engine: Engine) -> None:
    def nothing() -> Sequence[NodeKind]:
        raise InvalidSetting("nobody tells what a c7i costs")

    scaler = Scaler(engine, MemoryFleet(), LIMITS, nothing)

    with pytest.raises(InvalidSetting):
        scaler.step()

    assert scaler.decided is not None
    assert scaler.decided.decision.reason == "none: nobody tells what a c7i costs"


def test_how_long_a_node_takes_to_boot_is_learned_and_kept(
    engine: Engine, clock: ManualClock
) -> None:
    """A slot is free in ten seconds: too late for a fast boot, early for a slow one."""
    started = clock.now()
    slow = replace(a_node("n0"), slots=1, machine=Machine(started_at=started))
    engine.store.add_node(
        replace(slow, joined_at=started + 60 * SECOND).moved_to(NodeState.GONE, at=started)
    )
    busy = a_node("n1").moved_to(NodeState.RUNNING, at=started)
    engine.store.add_node(replace(busy, slots=1))
    backlog(engine, 2)
    task = engine.store.get_task(a_task("t0").id)
    held = task.claimed(busy.id, lease=SECOND, at=started)
    clock.advance(10 * SECOND)
    engine.store.swap_task(held.beaten(progress=0.5, at=clock.now()))
    scaler = Scaler(engine, MemoryFleet(), LIMITS, local)

    assert scaler.step() == 0
    engine.store.forget_node(slow.id)
    assert scaler.step() == 0
    assert Scaler(engine, MemoryFleet(), LIMITS, local).step() == 1
