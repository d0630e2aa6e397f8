"""A node whose machine is taken back, spoils work, or may not do what it must."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.living import PATIENCE, Living, Patient, a_folder, eventually
from typing_extensions import override

from media_nommer.adapters.memory import MemoryQueue, MemoryStorage, MemoryStore
from media_nommer.core.errors import AccessDenied, EncoderCrashed
from media_nommer.core.jobs import JobState
from media_nommer.core.nodes import Machine, Market, NodeId, NodeState
from media_nommer.core.ports.queue import Delivery, GiveUp, never_give_up
from media_nommer.core.ports.store import EVERY_JOB, JobFilter, JobPage
from media_nommer.core.ports.surroundings import Notice, NoticeKind
from media_nommer.core.tasks import AttemptEnd, Result, TaskKind, TaskState, task_id
from media_nommer.core.workflow import submitting
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.ec2nommerd.attempts import AttemptRunner
from media_nommer.ec2nommerd.nommers.base import Nommer
from media_nommer.ec2nommerd.nommers.work import Work
from media_nommer.ec2nommerd.running import NodePolicy, RunningNode
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import a_job

NODE = NodeId("n1")
MACHINE = Machine(name="i-1", type="c7i.xlarge", market=Market.SPOT)
#: A long lease: beats come by the machine's clock, and wake nobody here.
WORK = WorkPolicy(lease=timedelta(seconds=1), max_attempts=9, backoff=timedelta())
SHORT = timedelta(milliseconds=5)
LONG = timedelta(hours=1)
SECOND = timedelta(seconds=1)
FIRST = task_id(a_job().id, 1, submitting.FIRST_KEY)


class Queue(MemoryQueue):
    """A queue that can refuse to be asked."""

    refuses = False
    refusals = 0

    @override
    def take(
        self,
        lease: timedelta,
        *,
        wait: timedelta = timedelta(),
        give_up: GiveUp = never_give_up,
    ) -> Delivery | None:
        if self.refuses:
            self.refusals += 1
            raise AccessDenied("sqs refuses ReceiveMessage")
        return super().take(lease, wait=wait, give_up=give_up)


class Store(MemoryStore):
    """A store that fails as it is told to when jobs are listed."""

    trouble: Exception | None = None
    troubled = 0

    @override
    def list_jobs(
        self, wanted: JobFilter = EVERY_JOB, *, limit: int = 50, cursor: str | None = None
    ) -> JobPage:
        if self.trouble is not None:
            self.troubled += 1
            raise self.trouble
        return super().list_jobs(wanted, limit=limit, cursor=cursor)


class Spoiling(Nommer):
    """Fails whatever it is given, as on a machine with bad memory."""

    @override
    def nom(self, work: Work) -> Result:
        raise EncoderCrashed("it died")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def queue(clock: ManualClock) -> Queue:
    return Queue(clock)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def engine(clock: ManualClock, queue: Queue, store: Store) -> Engine:
    return Engine(store, queue, MemoryStorage(), "memory://w", clock)


@pytest.fixture
def nommer() -> Iterator[Patient]:
    patient = Patient()
    yield patient
    patient.let_go.set()  # a test that failed leaves it at work


@pytest.fixture
def policy() -> NodePolicy:
    return NodePolicy(
        idle_timeout=LONG,
        drain_timeout=30 * SECOND,
        stop_timeout=LONG,
        look_every=SHORT,
        ask_every=SHORT,
        refused_for=60 * SECOND,
    )


Live = Callable[..., Living]


@pytest.fixture
def live(engine: Engine, nommer: Patient, policy: NodePolicy, tmp_path: Path) -> Live:
    def begin(works: Nommer = nommer, policy: NodePolicy = policy) -> Living:
        runner = AttemptRunner(
            engine=engine,
            policy=WORK,
            nommers={TaskKind.INSPECT: works},
            scratch=lambda name: a_folder(name, tmp_path),
        )
        node = RunningNode(
            engine, WORK, policy, runner, node=NODE, kind="ec2", machine=MACHINE
        )
        return Living(node, engine)

    return begin


def reclaimed_in(clock: ManualClock, period: timedelta) -> Notice:
    return Notice(NoticeKind.RECLAIM, clock.now() + period)


def rebalance(clock: ManualClock) -> Notice:
    return Notice(NoticeKind.REBALANCE, clock.now())


def at_work(engine: Engine, nommer: Patient, live: Live) -> Living:
    submitting.submit(engine, a_job(recipe={"destination": "memory://out"}))
    living = live()
    assert nommer.begun.wait(PATIENCE)
    return living


def test_what_can_be_done_within_the_notice_is_done(
    engine: Engine, nommer: Patient, live: Live, clock: ManualClock
) -> None:
    nommer.reached = 0.9
    living = at_work(engine, nommer, live)
    clock.advance(90 * SECOND)  # ten seconds more

    living.node.take_notice(reclaimed_in(clock, 120 * SECOND))
    eventually(lambda: living.state is NodeState.DRAINING)
    submitting.submit(engine, a_job(2))
    nommer.let_go.set()

    assert living.ends()
    assert living.in_order
    assert engine.store.get_job(a_job().id).state is JobState.FAILED  # as it was made to
    assert engine.store.get_job(a_job(2).id).state is JobState.PENDING
    assert living.record.detail.startswith("its machine is taken back at ")


def test_what_cannot_be_done_within_the_notice_is_handed_back_at_once(
    engine: Engine, nommer: Patient, live: Live, clock: ManualClock
) -> None:
    nommer.reached = 0.5
    living = at_work(engine, nommer, live)
    clock.advance(600 * SECOND)  # ten minutes more

    living.node.take_notice(reclaimed_in(clock, 120 * SECOND))

    assert living.ends()  # and no time has passed
    task, job = engine.store.get_task(FIRST), engine.store.get_job(a_job().id)
    assert (task.state, task.failures, task.losses) == (TaskState.READY, 0, 0)
    assert [attempt.end for attempt in task.attempts] == [AttemptEnd.HANDED_BACK]
    assert job.events[-1].kind == "task.handed_back"
    assert "node n1 (i-1): its machine is taken back at" in job.events[-1].detail
    assert engine.queue.take(LONG) is not None
    assert living.state is NodeState.GONE
    assert living.node.fault == ""


def test_work_is_handed_back_in_the_last_half_minute_whatever_it_promised(
    engine: Engine, nommer: Patient, live: Live, clock: ManualClock
) -> None:
    nommer.reached = 0.999
    living = at_work(engine, nommer, live)
    clock.advance(60 * SECOND)
    living.node.take_notice(reclaimed_in(clock, 120 * SECOND))
    eventually(lambda: living.state is NodeState.DRAINING)

    clock.advance(90 * SECOND)

    assert living.ends()
    assert engine.store.get_task(FIRST).attempts[-1].end is AttemptEnd.HANDED_BACK


def test_what_an_earlier_attempt_reached_is_no_promise_of_this_one(
    engine: Engine, nommer: Patient, live: Live, clock: ManualClock
) -> None:
    submitting.submit(engine, a_job())
    task = engine.store.get_task(FIRST)
    engine.store.swap_task(replace(task, progress=0.999))
    living = live()
    assert nommer.begun.wait(PATIENCE)
    clock.advance(60 * SECOND)  # and nothing is made

    living.node.take_notice(reclaimed_in(clock, 120 * SECOND))

    assert living.ends()
    assert engine.store.get_task(FIRST).state is TaskState.READY


def test_on_a_recommendation_what_was_begun_is_done_however_long_it_takes(
    engine: Engine, nommer: Patient, live: Live, clock: ManualClock
) -> None:
    living = at_work(engine, nommer, live)

    living.node.take_notice(rebalance(clock))
    eventually(lambda: living.state is NodeState.DRAINING)
    submitting.submit(engine, a_job(2))
    for _ in range(2):  # what it says of itself is no order to end
        beat = living.record.beat
        clock.advance(LONG)
        eventually(lambda beat=beat: living.record.beat > beat + 1)  # type: ignore[misc]
    assert engine.store.get_task(FIRST).state is TaskState.CLAIMED
    nommer.let_go.set()

    assert living.ends()
    assert engine.store.get_job(a_job(2).id).state is JobState.PENDING
    assert living.record.detail == "its machine is likely to be taken back"


def test_a_reclaim_after_a_recommendation_sets_an_end(
    engine: Engine, nommer: Patient, live: Live, clock: ManualClock
) -> None:
    living = at_work(engine, nommer, live)
    living.node.take_notice(rebalance(clock))
    eventually(lambda: living.state is NodeState.DRAINING)

    living.node.take_notice(reclaimed_in(clock, 20 * SECOND))

    assert living.ends()
    assert engine.store.get_task(FIRST).state is TaskState.READY
    assert living.record.detail.startswith("its machine is taken back at ")


def test_an_idle_node_leaves_on_any_notice(live: Live, clock: ManualClock) -> None:
    living = live()
    eventually(lambda: living.state is NodeState.RUNNING)

    living.node.take_notice(rebalance(clock))

    assert living.ends()
    assert living.state is NodeState.GONE


def test_a_node_on_which_task_after_task_fails_sets_itself_aside(
    engine: Engine, live: Live
) -> None:
    for number in (1, 2):
        submitting.submit(engine, a_job(number, recipe={"destination": "memory://out"}))

    living = live(Spoiling())

    assert living.ends()
    assert living.in_order
    assert living.state is NodeState.GONE
    assert living.record.detail.startswith("it was set aside: task after task failed on it")
    assert living.node.fault == living.record.detail
    failures = [
        engine.store.get_task(task_id(a_job(number).id, 1, submitting.FIRST_KEY)).failures
        for number in (1, 2)
    ]
    assert sum(failures) == 3  # and not one more


def test_one_bad_film_sets_no_node_aside(engine: Engine, live: Live) -> None:
    submitting.submit(engine, a_job(recipe={"destination": "memory://out"}))

    living = live(Spoiling())

    eventually(lambda: engine.store.get_job(a_job().id).state is JobState.FAILED)
    assert living.state is NodeState.RUNNING
    assert living.node.fault == ""
    living.node.ask_to_leave()
    assert living.ends()


def test_a_node_that_is_refused_for_long_ends_and_says_why(
    queue: Queue, live: Live, clock: ManualClock
) -> None:
    queue.refuses = True
    living = live()
    eventually(lambda: queue.refusals > 3)
    assert living.node.fault == ""

    clock.advance(60 * SECOND)

    assert living.ends()
    assert living.record.detail == "it was set aside: sqs refuses ReceiveMessage"
    assert living.node.fault == living.record.detail


def test_an_idle_node_that_may_not_look_whether_to_leave_does_not_stay_for_ever(
    store: Store, live: Live, policy: NodePolicy, clock: ManualClock
) -> None:
    store.trouble = AccessDenied("dynamodb refuses Query")
    living = live(policy=replace(policy, idle_timeout=timedelta()))
    eventually(lambda: store.troubled > 0)
    assert living.node.fault == ""

    def a_second_later_it_is_no_good() -> bool:
        clock.advance(SECOND)
        return living.node.fault != ""

    eventually(a_second_later_it_is_no_good)
    assert living.ends()
    assert "dynamodb refuses Query" in living.record.detail


def test_what_nobody_expects_ends_no_node_that_asks_whether_to_leave(
    store: Store, live: Live, policy: NodePolicy, clock: ManualClock
) -> None:
    store.trouble = ZeroDivisionError("oops")
    living = live(policy=replace(policy, idle_timeout=timedelta()))
    beat = living.record.beat

    def it_beats_on() -> bool:
        clock.advance(SECOND)
        return living.record.beat > beat + 1

    eventually(it_beats_on)
    assert living.state is NodeState.RUNNING

    store.trouble = None

    def a_second_later_it_is_gone() -> bool:
        clock.advance(SECOND)
        return living.state is NodeState.GONE

    eventually(a_second_later_it_is_gone)
    assert living.ends()
    assert living.record.detail == "there was nothing to do"


def test_what_nobody_expects_keeps_no_node_from_ending(
    live: Live, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    living = live()
    eventually(lambda: living.state is NodeState.RUNNING)

    def broken(_node: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(engine.store, "swap_node", broken)
    living.node.ask_to_leave()

    assert living.ends()
    assert living.in_order
