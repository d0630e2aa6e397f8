import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.living import PATIENCE, Living, Patient, a_folder, eventually
from typing_extensions import override

from media_nommer.adapters.memory import MemoryQueue, MemoryStorage, MemoryStore
from media_nommer.core.clock import system_clock
from media_nommer.core.errors import ServiceUnavailable
from media_nommer.core.jobs import JobState
from media_nommer.core.nodes import Node, NodeId, NodeState
from media_nommer.core.ports.queue import Delivery, GiveUp, never_give_up
from media_nommer.core.tasks import AttemptEnd, TaskKind, TaskState, task_id
from media_nommer.core.workflow import submitting
from media_nommer.core.workflow.changes import change_node
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.ec2nommerd.attempts import AttemptRunner
from media_nommer.ec2nommerd.running import NodePolicy, RunningNode
from media_nommer.testing.samples import a_job

NODE = NodeId("node-1")
WORK = WorkPolicy(lease=timedelta(seconds=1))
SHORT = timedelta(milliseconds=20)
LONG = timedelta(hours=1)
FIRST = task_id(a_job().id, 1, submitting.FIRST_KEY)


class Queue(MemoryQueue):
    """A queue that can be made not to answer."""

    silent = False

    @override
    def take(
        self,
        lease: timedelta,
        *,
        wait: timedelta = timedelta(),
        give_up: GiveUp = never_give_up,
    ) -> Delivery | None:
        if self.silent:
            raise ServiceUnavailable("the queue does not answer")
        return super().take(lease, wait=wait, give_up=give_up)


class Store(MemoryStore):
    """A store that can be made not to answer nodes, as if their network were cut."""

    silent = False
    missed = 0

    @override
    def swap_node(self, node: Node) -> Node:
        if self.silent and threading.current_thread().name == "keeper":
            self.missed += 1
            raise ServiceUnavailable("the store does not answer")
        return super().swap_node(node)


@pytest.fixture
def engine() -> Engine:
    return Engine(Store(), Queue(system_clock), MemoryStorage(), "memory://w", system_clock)


@pytest.fixture
def nommer() -> Iterator[Patient]:
    patient = Patient()
    yield patient
    patient.let_go.set()  # a test that failed leaves it at work


@pytest.fixture
def policy() -> NodePolicy:
    return NodePolicy(
        idle_timeout=LONG,
        drain_timeout=LONG,
        stop_timeout=LONG,
        look_every=SHORT,
        ask_every=SHORT,
    )


@pytest.fixture
def live(engine: Engine, nommer: Patient, tmp_path: Path) -> Callable[[NodePolicy], Living]:
    runner = AttemptRunner(
        engine=engine,
        policy=WORK,
        nommers={TaskKind.INSPECT: nommer},
        scratch=lambda name: a_folder(name, tmp_path),
    )

    def begin(policy: NodePolicy) -> Living:
        return Living(
            RunningNode(engine, WORK, policy, runner, node=NODE, kind="hand"), engine
        )

    return begin


def test_an_idle_node_leaves_by_itself(
    live: Callable[[NodePolicy], Living], policy: NodePolicy
) -> None:
    living = live(replace(policy, idle_timeout=timedelta()))

    assert living.ends()
    assert living.in_order
    assert living.state is NodeState.GONE


def test_a_node_that_is_asked_to_leave_finishes_what_it_works_on(
    live: Callable[[NodePolicy], Living],
    policy: NodePolicy,
    engine: Engine,
    nommer: Patient,
) -> None:
    job = submitting.submit(engine, a_job(recipe={"destination": "memory://out"}))
    living = live(policy)
    assert nommer.begun.wait(PATIENCE)

    living.node.ask_to_leave()
    eventually(lambda: living.state is NodeState.DRAINING)
    submitting.submit(engine, a_job(2))
    nommer.let_go.set()

    assert living.ends()
    assert living.in_order
    assert engine.store.get_job(job.id).state is JobState.FAILED
    assert engine.store.get_job(a_job(2).id).state is JobState.PENDING


@pytest.mark.parametrize("times", [1, 2])
def test_a_node_hands_back_when_asked_twice_or_after_its_time(
    live: Callable[[NodePolicy], Living],
    policy: NodePolicy,
    engine: Engine,
    nommer: Patient,
    times: int,
) -> None:
    submitting.submit(engine, a_job())
    living = live(replace(policy, drain_timeout=SHORT if times == 1 else LONG))
    assert nommer.begun.wait(PATIENCE)

    living.node.ask_to_leave()
    if times == 2:
        eventually(lambda: living.state is NodeState.DRAINING)
        living.node.ask_to_leave()

    assert living.ends()
    task = engine.store.get_task(FIRST)
    assert living.in_order
    assert task.state is TaskState.READY
    assert task.attempts[-1].end is AttemptEnd.HANDED_BACK
    assert (task.failures, task.losses) == (0, 0)
    assert engine.queue.take(LONG) is not None


@pytest.mark.parametrize("state", [NodeState.DRAINING, NodeState.GONE])
def test_a_node_leaves_when_its_record_says_so(
    live: Callable[[NodePolicy], Living],
    policy: NodePolicy,
    engine: Engine,
    state: NodeState,
) -> None:
    living = live(policy)
    eventually(lambda: living.state is NodeState.RUNNING)

    change_node(
        engine.store, NODE, lambda node: node.moved_to(state, at=engine.clock.now())
    )

    assert living.ends()
    assert living.state is NodeState.GONE


def test_a_node_outlives_a_queue_that_does_not_answer(
    live: Callable[[NodePolicy], Living],
    policy: NodePolicy,
    engine: Engine,
    nommer: Patient,
) -> None:
    assert isinstance(engine.queue, Queue)
    engine.queue.silent = True
    submitting.submit(engine, a_job())
    living = live(policy)
    eventually(lambda: living.state is NodeState.RUNNING)

    engine.queue.silent = False

    assert nommer.begun.wait(PATIENCE)
    living.node.ask_to_leave()
    nommer.let_go.set()
    assert living.ends()


def test_a_node_that_was_taken_for_dead_while_it_was_cut_off_takes_nothing_more(
    live: Callable[[NodePolicy], Living],
    policy: NodePolicy,
    engine: Engine,
    nommer: Patient,
) -> None:
    """It would be told to go in the middle of it, and hand it back."""
    assert isinstance(engine.store, Store)
    living = live(policy)
    eventually(lambda: living.state is NodeState.RUNNING)
    engine.store.silent = True
    eventually(lambda: engine.store.missed > 1)  # so it knows of the first

    change_node(
        engine.store, NODE, lambda n: n.moved_to(NodeState.GONE, at=engine.clock.now())
    )
    submitting.submit(engine, a_job())
    missed = engine.store.missed
    eventually(lambda: engine.store.missed > missed + 3)
    engine.store.silent = False

    assert living.ends()
    assert engine.store.get_task(FIRST).claims == 0


def test_a_node_shows_how_busy_it_is(
    live: Callable[[NodePolicy], Living],
    policy: NodePolicy,
    engine: Engine,
    nommer: Patient,
) -> None:
    submitting.submit(engine, a_job())
    living = live(policy)

    eventually(lambda: engine.store.get_node(NODE).busy == 1)

    nommer.let_go.set()
    living.node.ask_to_leave()
    assert living.ends()
    assert engine.store.get_node(NODE).busy == 0
