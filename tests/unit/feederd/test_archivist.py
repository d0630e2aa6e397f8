from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typing_extensions import override

from media_nommer.adapters.memory import MemoryQueue, MemoryStorage, MemoryStore
from media_nommer.core.errors import ServiceUnavailable
from media_nommer.core.jobs import Job, JobId, JobState
from media_nommer.core.ports.store import EVERY_JOB, JobFilter, JobPage
from media_nommer.core.workflow.archiving import find_archived
from media_nommer.core.workflow.engine import Engine
from media_nommer.feederd.archivist import MOST_A_ROUND, REST, Archivist
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import MINUTE, a_job, a_task

KEPT = timedelta(days=90)


class Store(MemoryStore):
    """A store that counts its lists, and may not answer."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: list[JobFilter] = []
        self.silent = False

    @override
    def list_jobs(
        self,
        wanted: JobFilter = EVERY_JOB,
        *,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        self.lists.append(wanted)
        return super().list_jobs(wanted, limit=limit, cursor=cursor)

    @override
    def forget_job(self, job_id: JobId, runs: int) -> None:
        if self.silent:
            raise ServiceUnavailable("the store does not answer")
        super().forget_job(job_id, runs)


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
def archivist(engine: Engine) -> Archivist:
    return Archivist(engine, KEPT)


@pytest.fixture
def ended(clock: ManualClock, store: Store) -> Callable[..., Job]:
    """Return what adds a job that is over."""

    def add(number: int = 1, state: JobState = JobState.FAILED) -> Job:
        job = a_job(number, created_at=clock.now(), state=JobState.RUNNING)
        clock.advance(MINUTE)
        store.add_task(a_task(job=job.id).done(at=clock.now()))
        return store.add_job(job.moved_to(state, at=clock.now()))

    return add


def archived(engine: Engine, jobs: list[Job]) -> list[bool]:
    return [find_archived(engine, job.id) is not None for job in jobs]


def left(store: Store) -> set[JobId]:
    return set(store._jobs)


@pytest.mark.parametrize("state", [state for state in JobState if state.final])
def test_a_job_leaves_the_store_when_it_has_been_over_for_its_time(
    engine: Engine,
    archivist: Archivist,
    clock: ManualClock,
    ended: Callable[..., Job],
    state: JobState,
) -> None:
    job = ended(state=state)

    clock.advance(KEPT - 2 * REST)
    assert archivist.step() == 0
    assert archived(engine, [job]) == [False]
    clock.advance(2 * REST)
    assert archivist.step() == 1

    assert archived(engine, [job]) == [True]
    assert engine.store.list_jobs().jobs == ()
    assert engine.store.tasks_of(job.id, 1) == ()


def test_a_job_that_took_long_counts_from_its_end(
    archivist: Archivist, clock: ManualClock, store: Store
) -> None:
    job = store.add_job(replace(a_job(), state=JobState.RUNNING))
    clock.advance(KEPT)
    store.swap_job(job.moved_to(JobState.FINISHED, at=clock.now()))
    clock.advance(KEPT / 2)

    assert archivist.step() == 0

    clock.advance(KEPT / 2)
    assert archivist.step() == 1


def test_a_job_that_is_not_over_stays_for_however_long(
    archivist: Archivist, clock: ManualClock, store: Store
) -> None:
    store.add_job(a_job())
    clock.advance(10 * KEPT)

    assert archivist.step() == 0


def test_where_there_is_nothing_to_do_it_lists_each_final_state_once_an_hour(
    archivist: Archivist, clock: ManualClock, store: Store
) -> None:
    for _ in range(60):
        archivist.step()
        clock.advance(MINUTE)
    assert len(store.lists) == 4

    archivist.step()

    assert len(store.lists) == 8
    assert all(len(wanted.states) == 1 and wanted.until for wanted in store.lists)


def test_a_backlog_goes_in_rounds_without_a_rest(
    archivist: Archivist, clock: ManualClock, store: Store, ended: Callable[..., Job]
) -> None:
    for number in range(MOST_A_ROUND + 5):
        ended(number)
    clock.advance(KEPT)

    assert [archivist.step() for _ in "abc"] == [MOST_A_ROUND, 5, 0]

    assert left(store) == set()


def test_many_young_jobs_hide_no_old_one(
    archivist: Archivist, clock: ManualClock, store: Store, ended: Callable[..., Job]
) -> None:
    """The list has the newest first; these were created long ago, and ended just now."""
    old = ended(0)
    late = [
        store.add_job(a_job(n, minutes=n, state=JobState.RUNNING)) for n in range(1, 250)
    ]
    clock.advance(KEPT)
    for job in late:
        store.swap_job(job.moved_to(JobState.FAILED, at=clock.now()))
    clock.advance(timedelta(days=1))

    assert archivist.step() == 1

    assert old.id not in left(store)


def test_a_job_whose_way_was_interrupted_goes_on_after_the_rest(
    archivist: Archivist, clock: ManualClock, store: Store, ended: Callable[..., Job]
) -> None:
    job = ended()
    clock.advance(KEPT)
    store.silent = True
    with pytest.raises(ServiceUnavailable):
        archivist.step()
    assert store.get_job(job.id).archived_at is not None

    store.silent = False

    assert archivist.step() == 1
    assert left(store) == set()


def test_a_job_that_cannot_be_archived_holds_up_no_other(
    engine: Engine,
    archivist: Archivist,
    clock: ManualClock,
    store: Store,
    ended: Callable[..., Job],
    tmp_path: Path,
) -> None:
    jobs = [ended(number) for number in range(3)]
    (tmp_path / "junk").write_bytes(b"junk")
    engine.storage.put(tmp_path / "junk", "memory://w/archive/job-/job-0001.json")
    clock.advance(KEPT)

    assert archivist.step() == 2

    assert left(store) == {jobs[1].id}
