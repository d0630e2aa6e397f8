import socket
from collections.abc import Callable, Mapping
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
from media_nommer.core.errors import ServiceUnavailable
from media_nommer.core.nodes import Machine, Node, NodeId, NodeState
from media_nommer.core.tasks import AttemptEnd, TaskState
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.feederd.reaper import Reaper
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import MINUTE, a_node, a_task

WORK = WorkPolicy(lease=timedelta(seconds=30))
POLICY = JanitorPolicy()
SECOND = timedelta(seconds=1)
HERE = socket.gethostname()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def engine(clock: ManualClock) -> Engine:
    return Engine(MemoryStore(), MemoryQueue(clock), MemoryStorage(), "memory://w", clock)


@pytest.fixture
def fleet() -> MemoryFleet:
    return MemoryFleet()


@pytest.fixture
def reaper(engine: Engine, fleet: MemoryFleet) -> Reaper:
    return Reaper(engine, fleet, WORK, POLICY)


def a_running_node(engine: Engine, name: str = "node-1", host: str = HERE) -> Node:
    node = a_node(name).moved_to(NodeState.RUNNING, at=engine.clock.now())
    return engine.store.add_node(replace(node, host=host, slots=1))


def watch_for(
    reaper: Reaper,
    clock: ManualClock,
    period: timedelta,
    between: Callable[[], object] = lambda: None,
) -> None:
    """Let the reaper look every ten seconds, as time passes."""
    for _ in range(period // (10 * SECOND)):
        reaper.step()
        between()
        clock.advance(10 * SECOND)
    reaper.step()


def states(engine: Engine) -> list[NodeState]:
    return [node.state for node in engine.store.nodes(gone=True)]


def test_a_node_whose_machine_is_gone_is_gone_and_its_tasks_are_free(
    engine: Engine, reaper: Reaper
) -> None:
    node = a_running_node(engine)
    task = a_task()
    engine.store.add_task(task.claimed(node.id, lease=WORK.lease, at=engine.clock.now()))

    reaper.step()

    freed = engine.store.get_task(task.id)
    assert states(engine) == [NodeState.GONE]
    assert (freed.state, freed.claim, freed.losses) == (TaskState.READY, None, 1)
    assert freed.attempts[-1].end is AttemptEnd.LOST
    taken = engine.queue.take(WORK.lease)
    assert taken is not None
    assert taken.task_id == task.id


def test_a_node_whose_machine_is_there_is_left_alone(
    engine: Engine, reaper: Reaper, fleet: MemoryFleet
) -> None:
    node = a_running_node(engine)
    fleet.start(node)

    reaper.step()

    assert states(engine) == [NodeState.RUNNING]


def test_a_node_that_leaves_while_we_look_is_not_called_dead(engine: Engine) -> None:
    node = a_running_node(engine)

    class Leaving(MemoryFleet):
        @override
        def machines(self) -> Mapping[NodeId, Machine]:
            latest = engine.store.get_node(node.id)
            engine.store.swap_node(latest.moved_to(NodeState.GONE, at=engine.clock.now()))
            return super().machines()

    assert Reaper(engine, Leaving(), WORK, POLICY).step() == 0


@pytest.mark.parametrize(("host", "kind"), [("elsewhere", "local"), (HERE, "hand")])
def test_the_fleet_is_not_asked_about_nodes_that_are_not_its_own(
    engine: Engine, reaper: Reaper, host: str, kind: str
) -> None:
    node = replace(a_node(), kind=kind, host=host, state=NodeState.RUNNING)
    engine.store.add_node(node)

    reaper.step()

    assert states(engine) == [NodeState.RUNNING]


def test_a_node_that_is_silent_for_several_leases_is_gone(
    engine: Engine, reaper: Reaper, clock: ManualClock
) -> None:
    a_running_node(engine, host="elsewhere")

    watch_for(reaper, clock, 3 * WORK.lease)
    assert states(engine) == [NodeState.RUNNING]
    watch_for(reaper, clock, 2 * WORK.lease)

    assert states(engine) == [NodeState.GONE]


def test_a_node_that_beats_is_not_silent(
    engine: Engine, reaper: Reaper, clock: ManualClock
) -> None:
    node = a_running_node(engine, host="elsewhere")

    def beat() -> None:
        latest = engine.store.get_node(node.id)
        engine.store.swap_node(latest.beaten(busy=0, at=clock.now()))

    watch_for(reaper, clock, 9 * WORK.lease, beat)

    assert states(engine) == [NodeState.RUNNING]


def test_a_wrong_wall_clock_kills_nobody(
    engine: Engine, reaper: Reaper, clock: ManualClock
) -> None:
    """Rule 2: beats are watched on our own monotonic clock."""
    a_running_node(engine, host="elsewhere")
    reaper.step()

    clock.jump(timedelta(days=3))
    reaper.step()

    assert states(engine) == [NodeState.RUNNING]


def test_nobody_is_dead_because_we_could_not_look(
    engine: Engine, reaper: Reaper, clock: ManualClock
) -> None:
    """Ten minutes without the store are ten minutes in which nobody could beat."""
    a_running_node(engine, host="elsewhere")
    reaper.step()

    clock.advance(10 * MINUTE)
    reaper.step()

    assert states(engine) == [NodeState.RUNNING]


def test_a_launch_gets_its_time_to_appear(
    engine: Engine, reaper: Reaper, clock: ManualClock
) -> None:
    engine.store.add_node(replace(a_node(), host=HERE))

    reaper.step()
    assert states(engine) == [NodeState.LAUNCHING]
    watch_for(reaper, clock, POLICY.appears_within)

    assert states(engine) == [NodeState.GONE]


def test_a_machine_that_never_reports_is_given_up(
    engine: Engine, reaper: Reaper, fleet: MemoryFleet, clock: ManualClock
) -> None:
    fleet.start(engine.store.add_node(replace(a_node(), host=HERE)))

    watch_for(reaper, clock, POLICY.reports_within - 20 * SECOND)
    assert states(engine) == [NodeState.LAUNCHING]
    watch_for(reaper, clock, 30 * SECOND)

    assert states(engine) == [NodeState.GONE]


class DistantFleet(MemoryFleet):
    """A fleet that shows its machines as it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[NodeId, Machine] = {}
        self.killed: list[NodeId] = []
        self.away = False

    @override
    def machines(self) -> Mapping[NodeId, Machine]:
        if self.away:
            raise ServiceUnavailable("the fleet does not answer")
        return dict(self.shown)

    @override
    def answers_for(self, node: Node) -> bool:
        return node.kind == "local"

    @override
    def kill(self, node_id: NodeId) -> None:
        self.killed.append(node_id)


A_MACHINE = Machine(name="i-1", price=0.2)
DISTANT = replace(POLICY, missed_for=MINUTE)


@pytest.fixture
def distant() -> DistantFleet:
    return DistantFleet()


@pytest.fixture
def far_reaper(engine: Engine, distant: DistantFleet) -> Reaper:
    return Reaper(engine, distant, WORK, DISTANT)


def test_a_node_whose_machine_has_ended_is_gone_with_the_time_of_it(
    engine: Engine, far_reaper: Reaper, distant: DistantFleet, clock: ManualClock
) -> None:
    node = a_running_node(engine, host="elsewhere")
    ended = clock.now() - SECOND
    distant.shown[node.id] = replace(A_MACHINE, ended_at=ended)

    far_reaper.step()

    buried = engine.store.get_node(node.id)
    assert (buried.state, buried.machine.ended_at) == (NodeState.GONE, ended)


def test_a_machine_that_is_not_shown_for_a_moment_is_not_gone(
    engine: Engine, far_reaper: Reaper, distant: DistantFleet, clock: ManualClock
) -> None:
    """What lists machines may be behind the times."""
    node = a_running_node(engine)

    def beat() -> None:
        latest = engine.store.get_node(node.id)
        if not latest.gone:
            engine.store.swap_node(latest.beaten(busy=0, at=clock.now()))

    watch_for(far_reaper, clock, MINUTE - 10 * SECOND, beat)
    distant.shown[node.id] = A_MACHINE
    watch_for(far_reaper, clock, 10 * SECOND, beat)
    del distant.shown[node.id]
    watch_for(far_reaper, clock, MINUTE - 10 * SECOND, beat)
    assert states(engine) == [NodeState.RUNNING]

    watch_for(far_reaper, clock, 20 * SECOND, beat)

    assert states(engine) == [NodeState.GONE]


def test_while_the_fleet_does_not_answer_only_the_beat_tells(
    engine: Engine, far_reaper: Reaper, distant: DistantFleet, clock: ManualClock
) -> None:
    a_running_node(engine)
    distant.away = True

    watch_for(far_reaper, clock, 3 * WORK.lease)
    assert states(engine) == [NodeState.RUNNING]
    watch_for(far_reaper, clock, 2 * WORK.lease)

    assert states(engine) == [NodeState.GONE]


def test_an_intent_that_came_to_nothing_is_gone_for_the_reason_that_it_has(
    engine: Engine, far_reaper: Reaper, clock: ManualClock
) -> None:
    engine.store.add_node(replace(a_node(), detail="ec2 cannot launch now"))

    watch_for(far_reaper, clock, DISTANT.appears_within)

    (node,) = engine.store.nodes(gone=True)
    assert (node.state, node.detail) == (NodeState.GONE, "ec2 cannot launch now")


def test_a_launch_whose_machine_ended_is_not_waited_for(
    engine: Engine, far_reaper: Reaper, distant: DistantFleet, clock: ManualClock
) -> None:
    intent = engine.store.add_node(a_node())
    distant.shown[intent.id] = replace(A_MACHINE, ended_at=clock.now())

    far_reaper.step()

    assert states(engine) == [NodeState.GONE]


def test_looks_that_are_far_apart_still_find_the_dead(
    engine: Engine, distant: DistantFleet, clock: ManualClock
) -> None:
    """A store that charges by the call is looked at more rarely than a lease lasts."""
    short = replace(WORK, lease=3 * SECOND)
    policy = replace(POLICY, look_every=10 * SECOND)
    a_running_node(engine, host="elsewhere")

    watch_for(Reaper(engine, None, short, policy), clock, MINUTE)

    assert states(engine) == [NodeState.GONE]


def test_whoever_waits_for_room_hears_of_a_death(engine: Engine) -> None:
    heard: list[str] = []
    a_running_node(engine)
    reaper = Reaper(
        engine, MemoryFleet(), WORK, POLICY, on_change=lambda: heard.append("dead")
    )

    reaper.step()
    reaper.step()

    assert heard == ["dead"]
