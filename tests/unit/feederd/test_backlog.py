from dataclasses import replace
from datetime import timedelta

import pytest
from typing_extensions import override

from media_nommer.adapters.memory import MemoryQueue, MemoryStorage, MemoryStore
from media_nommer.core.jobs import Job, JobId, JobState
from media_nommer.core.nodes import NodeId
from media_nommer.core.ports.store import EVERY_JOB, JobFilter, JobPage
from media_nommer.core.tasks import Outcome
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.backlog import BacklogReader
from media_nommer.planning.fleet.estimates import UNKNOWN
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import a_job, a_task

NODE = NodeId("node-1")
SECOND = timedelta(seconds=1)


class CountingStore(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.lists = 0
        self.gets = 0

    @override
    def list_jobs(
        self,
        wanted: JobFilter = EVERY_JOB,
        *,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        self.lists += 1
        return super().list_jobs(wanted, limit=limit, cursor=cursor)

    @override
    def get_job(self, job_id: JobId) -> Job:
        self.gets += 1
        return super().get_job(job_id)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def engine(clock: ManualClock, store: CountingStore) -> Engine:
    return Engine(store, MemoryQueue(clock), MemoryStorage(), "memory://w", clock)


def a_film(number: int, preset: str) -> Job:
    recipe = {"outputs": [{"preset": preset}]}
    return a_job(number, minutes=number, presets=(preset,), recipe=recipe)


def finished(engine: Engine, job: Job, seconds: float) -> None:
    at = engine.clock.now()
    running = job.moved_to(JobState.RUNNING, at=at)
    engine.store.add_job(running.moved_to(JobState.FINISHED, at=at))
    claimed = a_task(job=job.id).claimed(NODE, lease=SECOND, at=at)
    done = claimed.committed(Outcome.SUCCEEDED, at=at + seconds * SECOND)
    engine.store.add_task(done.done(at=at))


def waiting(engine: Engine, job: Job) -> None:
    engine.store.add_job(job)
    engine.store.add_task(a_task(job=job.id))


def read(reader: BacklogReader) -> tuple[tuple[float, ...], tuple[float, ...]]:
    found = reader.read(frozenset({NODE}), SECOND, limit=100)
    return found.waiting, found.working


def test_a_task_takes_as_long_as_those_of_its_preset_took(engine: Engine) -> None:
    finished(engine, a_film(1, "web"), 300)
    finished(engine, a_film(2, "thumbs"), 4)
    waiting(engine, a_film(3, "web"))
    waiting(engine, a_film(4, "thumbs"))

    tasks, _ = read(BacklogReader(engine))

    assert sorted(tasks) == pytest.approx([4, 300])


def test_what_is_worked_on_counts_with_what_is_left_of_it(
    engine: Engine, clock: ManualClock
) -> None:
    finished(engine, a_film(1, "web"), 300)
    engine.store.add_job(a_film(2, "web"))
    task = a_task(job=a_film(2, "web").id)
    engine.store.add_task(task.claimed(NODE, lease=SECOND, at=clock.now()))
    clock.advance(100 * SECOND)

    assert read(BacklogReader(engine)) == ((), pytest.approx((200,)))


def test_it_learns_from_what_finishes_later(engine: Engine, clock: ManualClock) -> None:
    waiting(engine, a_film(9, "web"))
    reader = BacklogReader(engine, learn_every=60 * SECOND)
    assert read(reader)[0] == (UNKNOWN,)

    finished(engine, a_film(1, "web"), 300)
    assert read(reader)[0] == (UNKNOWN,)

    clock.advance(60 * SECOND)
    assert read(reader)[0] == pytest.approx((300,))


def test_a_job_is_learned_from_once(engine: Engine, clock: ManualClock) -> None:
    finished(engine, a_film(1, "web"), 100)
    waiting(engine, a_film(9, "web"))
    reader = BacklogReader(engine, learn_every=60 * SECOND)
    for _ in range(5):
        read(reader)
        clock.advance(60 * SECOND)
    finished(engine, a_film(2, "web"), 200)

    assert read(reader)[0] == pytest.approx((150,))


def test_without_a_backlog_no_job_is_read(engine: Engine, store: CountingStore) -> None:
    finished(engine, a_film(1, "web"), 100)

    read(BacklogReader(engine))

    assert (store.lists, store.gets) == (0, 0)


def test_each_job_is_read_once_and_few_at_a_time(
    engine: Engine, store: CountingStore
) -> None:
    for number in range(1, 8):
        waiting(engine, a_film(number, "web"))
    reader = BacklogReader(engine, lookups=5)

    gets = []
    for _ in range(3):
        read(reader)
        gets.append(store.gets)

    assert gets == [5, 7, 7]


def test_a_task_whose_job_is_gone_counts_all_the_same(engine: Engine) -> None:
    engine.store.add_task(replace(a_task(), job_id=JobId("gone")))

    assert read(BacklogReader(engine))[0] == (UNKNOWN,)
