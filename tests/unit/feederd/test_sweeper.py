from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs
from typing_extensions import override

from media_nommer.adapters.memory import (
    MemoryFleet,
    MemoryQueue,
    MemoryStorage,
    MemoryStore,
)
from media_nommer.core.errors import AccessDenied, ServiceUnavailable
from media_nommer.core.nodes import Machine, Node, NodeId, NodeState
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.feederd.reaper import Reaper
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import MINUTE, a_node

WORK = WorkPolicy(lease=timedelta(seconds=30))
POLICY = JanitorPolicy(ends_within=2 * MINUTE, unknown_for=10 * MINUTE)
STEP = timedelta(seconds=10)
NODE = NodeId("node-1")
MACHINE = Machine(name="i-1", type="c7i.xlarge", zone="a", price=0.2)


class Fleet(MemoryFleet):
    """A fleet that shows its machines as it is told to, and counts what is ended."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[NodeId, Machine] = {NODE: MACHINE}
        self.killed: list[NodeId] = []
        self.refuses: NodeId | None = None
        self.watched = True

    @override
    def machines(self) -> Mapping[NodeId, Machine]:
        return dict(self.shown)

    @override
    def answers_for(self, node: Node) -> bool:
        return True

    @override
    def knows_end(self, node_id: NodeId) -> bool:
        return self.watched

    @override
    def kill(self, node_id: NodeId) -> None:
        if node_id == self.refuses:
            raise AccessDenied("ec2 refuses TerminateInstances")
        self.killed.append(node_id)
        self.shown.pop(node_id, None)


class Store(MemoryStore):
    """A store that may be away."""

    away = False

    @override
    def nodes(self, *, gone: bool = False) -> tuple[Node, ...]:
        if self.away:
            raise ServiceUnavailable("the store does not answer")
        return super().nodes(gone=gone)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def engine(clock: ManualClock, store: Store) -> Engine:
    return Engine(store, MemoryQueue(clock), MemoryStorage(), "memory://w", clock)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


@pytest.fixture
def reaper(engine: Engine, fleet: Fleet) -> Reaper:
    return Reaper(engine, fleet, WORK, POLICY)


def a_gone_node(engine: Engine) -> Node:
    gone = a_node(NODE).moved_to(NodeState.GONE, at=engine.clock.now())
    return engine.store.add_node(gone)


def look_for(reaper: Reaper, clock: ManualClock, period: timedelta) -> None:
    for _ in range(period // STEP):
        reaper.step()
        clock.advance(STEP)
    reaper.step()


def test_the_machine_of_a_node_that_is_gone_is_ended_after_a_while(
    engine: Engine, reaper: Reaper, fleet: Fleet, clock: ManualClock
) -> None:
    a_gone_node(engine)

    look_for(reaper, clock, POLICY.ends_within - STEP)
    assert fleet.killed == []
    look_for(reaper, clock, STEP)

    assert fleet.killed == [NODE]


def test_a_machine_of_no_node_on_record_is_ended_after_long_and_not_in_silence(
    reaper: Reaper, fleet: Fleet, clock: ManualClock
) -> None:
    with capture_logs() as logs:
        look_for(reaper, clock, POLICY.unknown_for - STEP)
        assert fleet.killed == []
        look_for(reaper, clock, STEP)

    assert fleet.killed == [NODE]
    events = [(line["log_level"], line["event"]) for line in logs]
    assert events == [("error", "machine_of_no_node"), ("warning", "machine_ended")]


def test_a_machine_that_cannot_be_ended_holds_up_no_other(
    reaper: Reaper, fleet: Fleet, clock: ManualClock
) -> None:
    fleet.shown[NodeId("node-2")] = replace(MACHINE, name="i-2")
    fleet.refuses = NODE

    look_for(reaper, clock, POLICY.unknown_for)
    assert fleet.killed == ["node-2"]
    fleet.refuses = None
    reaper.step()

    assert fleet.killed == ["node-2", NODE]


@pytest.mark.parametrize(
    "state", [NodeState.LAUNCHING, NodeState.RUNNING, NodeState.DRAINING]
)
def test_a_machine_whose_node_lives_is_left_alone(
    engine: Engine, fleet: Fleet, clock: ManualClock, state: NodeState
) -> None:
    engine.store.add_node(replace(a_node(NODE), state=state))
    patient = replace(POLICY, silent_leases=1000, reports_within=timedelta(days=1))

    look_for(Reaper(engine, fleet, WORK, patient), clock, timedelta(minutes=30))

    assert fleet.killed == []


def test_while_the_store_is_away_nothing_is_ended(
    reaper: Reaper, fleet: Fleet, store: Store, clock: ManualClock
) -> None:
    look_for(reaper, clock, MINUTE)

    store.away = True
    for _ in range(100):
        with pytest.raises(ServiceUnavailable):
            reaper.step()
        clock.advance(STEP)

    assert fleet.killed == []


def test_after_a_time_without_looks_the_watch_begins_anew(
    reaper: Reaper, fleet: Fleet, clock: ManualClock
) -> None:
    """What was without a record in a store that is put back may get one any moment."""
    look_for(reaper, clock, POLICY.unknown_for - MINUTE)

    clock.advance(timedelta(hours=1))
    look_for(reaper, clock, POLICY.unknown_for - MINUTE)

    assert fleet.killed == []


def test_a_machine_whose_record_appears_is_left_alone(
    engine: Engine, reaper: Reaper, fleet: Fleet, clock: ManualClock
) -> None:
    look_for(reaper, clock, POLICY.unknown_for - MINUTE)

    engine.store.add_node(replace(a_node(NODE), state=NodeState.RUNNING))
    look_for(reaper, clock, MINUTE)
    engine.store.swap_node(
        engine.store.get_node(NODE).moved_to(NodeState.GONE, at=clock.now())
    )
    look_for(reaper, clock, MINUTE)

    assert fleet.killed == []


def test_a_machine_that_was_not_shown_in_between_is_watched_anew(
    reaper: Reaper, fleet: Fleet, clock: ManualClock
) -> None:
    look_for(reaper, clock, POLICY.unknown_for - MINUTE)

    fleet.shown = {}
    look_for(reaper, clock, MINUTE)
    fleet.shown = {NODE: MACHINE}
    look_for(reaper, clock, MINUTE)

    assert fleet.killed == []


def test_what_was_started_while_we_looked_has_a_record(clock: ManualClock) -> None:
    """Its intent is stored first, but perhaps after the records were read."""

    class Late(Fleet):
        @override
        def machines(self) -> Mapping[NodeId, Machine]:
            if not engine.store.nodes():
                engine.store.add_node(a_node(NODE))
            return super().machines()

    fleet = Late()
    engine = Engine(MemoryStore(), MemoryQueue(clock), MemoryStorage(), "memory://w", clock)

    at_once = replace(POLICY, unknown_for=timedelta(), ends_within=timedelta())

    with capture_logs() as logs:
        Reaper(engine, fleet, WORK, at_once).step()

    assert fleet.killed == []
    assert logs == []


def test_the_end_of_a_machine_is_written_into_its_record_also_when_its_node_is_gone(
    engine: Engine, reaper: Reaper, fleet: Fleet, clock: ManualClock
) -> None:
    gone = a_gone_node(engine)
    reaper.step()
    fleet.shown[NODE] = replace(MACHINE, ended_at=clock.now())
    clock.advance(STEP)

    reaper.step()

    kept = engine.store.get_node(NODE)
    assert kept.machine == fleet.shown[NODE]
    assert (kept.state, kept.changed_at) == (NodeState.GONE, gone.changed_at)


@pytest.mark.parametrize("state", [NodeState.RUNNING, NodeState.GONE])
def test_a_machine_whose_end_nobody_saw_was_paid_for_until_its_nodes_last_word(
    engine: Engine, reaper: Reaper, fleet: Fleet, clock: ManualClock, state: NodeState
) -> None:
    """A feederd that was away for an hour does not take the hour for idle time."""
    spoke = clock.now()
    engine.store.add_node(replace(a_node(NODE), state=state, joined_at=spoke))
    clock.advance(60 * MINUTE)
    fleet.watched = False
    fleet.shown[NODE] = replace(MACHINE, ended_at=clock.now())

    reaper.step()

    kept = engine.store.get_node(NODE)
    assert (kept.state, kept.machine.ended_at) == (NodeState.GONE, spoke)


def test_what_the_record_says_of_a_machine_stays_and_what_it_lacks_is_added(
    engine: Engine, reaper: Reaper
) -> None:
    own = Machine(name="i-1", type="as the node says")
    engine.store.add_node(replace(a_node(NODE), state=NodeState.RUNNING, machine=own))

    reaper.step()

    kept = engine.store.get_node(NODE).machine
    assert (kept.type, kept.zone, kept.price) == ("as the node says", "a", 0.2)


def test_of_another_machine_than_its_own_a_record_learns_nothing(
    engine: Engine, reaper: Reaper
) -> None:
    own = Machine(name="i-2")
    engine.store.add_node(replace(a_node(NODE), state=NodeState.RUNNING, machine=own))

    reaper.step()

    assert engine.store.get_node(NODE).machine == own


def test_records_of_the_gone_are_read_only_as_long_as_there_is_something_to_find(
    engine: Engine, fleet: Fleet, clock: ManualClock
) -> None:
    """Ended machines are shown for an hour, and a look may cost money."""
    asked: list[bool] = []

    class Counting(Store):
        @override
        def nodes(self, *, gone: bool = False) -> tuple[Node, ...]:
            asked.append(gone)
            return super().nodes(gone=gone)

    engine = replace(engine, store=Counting())
    a_gone_node(engine)
    fleet.shown[NODE] = replace(MACHINE, ended_at=clock.now())

    look_for(Reaper(engine, fleet, WORK, POLICY), clock, MINUTE)

    assert asked.count(True) == 1
