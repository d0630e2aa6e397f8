from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from media_nommer.adapters.memory import (
    MemoryQueue,
    MemoryStorage,
    MemoryStore,
)
from media_nommer.core.jobs import Job, JobState
from media_nommer.core.nodes import NodeState
from media_nommer.core.workflow import submitting
from media_nommer.core.workflow.archiving import archive_job
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.feederd.janitor import Janitor
from media_nommer.feederd.patience import JanitorPolicy
from media_nommer.testing.clock import ManualClock
from media_nommer.testing.samples import MINUTE, a_job, a_node

WORK = WorkPolicy(lease=timedelta(seconds=30))
POLICY = JanitorPolicy()
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def engine(clock: ManualClock) -> Engine:
    return Engine(MemoryStore(), MemoryQueue(clock), MemoryStorage(), "memory://w", clock)


def a_final_job(engine: Engine, number: int = 1) -> Job:
    job = submitting.submit(engine, a_job(number))
    running = job.moved_to(JobState.RUNNING, at=engine.clock.now())
    swapped = engine.store.swap_job(running)
    return engine.store.swap_job(swapped.moved_to(JobState.FINISHED, at=engine.clock.now()))


@pytest.fixture
def put(engine: Engine, tmp_path: Path) -> Callable[[str], str]:
    path = tmp_path / "bytes"
    path.write_bytes(b"x")

    def at(name: str) -> str:
        engine.storage.put(path, f"memory://w/{name}")
        return f"memory://w/{name}"

    return at


def test_what_a_final_job_left_goes_after_a_while_and_its_logs_later(
    engine: Engine, clock: ManualClock, put: Callable[[str], str]
) -> None:
    job = a_final_job(engine)
    put(f"jobs/{job.id}/r1/inspect/c1/out.mp4")
    log = put(f"jobs/{job.id}/logs/r1-inspect-c1.log")
    janitor = Janitor(engine, WORK, POLICY)

    janitor.tidy()
    assert len(engine.storage.list("memory://w")) == 2
    clock.advance(POLICY.keep_runs_for)
    janitor.tidy()
    assert engine.storage.list("memory://w") == (log,)
    clock.advance(POLICY.keep_logs_for)
    janitor.tidy()

    assert engine.storage.list("memory://w") == ()


def test_the_logs_of_an_archived_job_go_when_their_time_has_come_and_its_document_stays(
    engine: Engine, clock: ManualClock, put: Callable[[str], str]
) -> None:
    job = a_final_job(engine)
    engine.store.swap_task(engine.store.tasks_of(job.id, 1)[0].done(at=clock.now()))
    put(f"jobs/{job.id}/r1/inspect/c1/out.mp4")
    log = put(f"jobs/{job.id}/logs/r1-inspect-c1.log")
    assert archive_job(engine, job.id, ended_by=clock.now())
    document = f"memory://w/archive/job-/{job.id}.json"
    janitor = Janitor(engine, WORK, POLICY)

    clock.advance(POLICY.keep_runs_for)
    janitor.tidy()
    assert engine.storage.list("memory://w") == (document, log)
    clock.advance(POLICY.keep_logs_for)
    janitor.tidy()

    assert engine.storage.list("memory://w") == (document,)


def test_a_damaged_document_holds_up_no_tidying(
    engine: Engine, clock: ManualClock, put: Callable[[str], str]
) -> None:
    put("archive/a-bo/a-bookworm.json")
    log = put("jobs/a-bookworm/logs/r1-inspect-c1.log")
    job = a_final_job(engine)
    put(f"jobs/{job.id}/r1/inspect/c1/out.mp4")
    clock.advance(POLICY.keep_logs_for)

    assert Janitor(engine, WORK, POLICY).tidy() == 1

    assert log in engine.storage.list("memory://w")


def test_the_work_of_an_unfinished_job_and_of_an_unknown_one_is_left_alone(
    engine: Engine, clock: ManualClock, put: Callable[[str], str]
) -> None:
    job = submitting.submit(engine, a_job())
    put(f"jobs/{job.id}/r1/inspect/c1/out.mp4")
    put("jobs/somebody-elses/r1/file")
    put(f"jobs/{job.id}/another-folder/file")
    clock.advance(timedelta(days=365))

    Janitor(engine, WORK, POLICY).tidy()

    assert len(engine.storage.list("memory://w")) == 3


def test_what_an_earlier_run_left_goes_at_once(
    engine: Engine, put: Callable[[str], str]
) -> None:
    job = a_final_job(engine)
    put(f"jobs/{job.id}/r1/inspect/c1/out.mp4")
    kept = put(f"jobs/{job.id}/r2/inspect/c1/out.mp4")
    submitting.retry(engine, job.id, whole=True)

    Janitor(engine, WORK, POLICY).tidy()

    assert engine.storage.list("memory://w") == (kept,)


def test_records_of_nodes_that_are_long_gone_are_forgotten(
    engine: Engine, clock: ManualClock
) -> None:
    old = a_node("old").moved_to(NodeState.GONE, at=clock.now())
    engine.store.add_node(old)
    engine.store.add_node(a_node("node-1").moved_to(NodeState.RUNNING, at=clock.now()))
    clock.advance(POLICY.keep_nodes_for)
    engine.store.add_node(a_node("young").moved_to(NodeState.GONE, at=clock.now()))

    Janitor(engine, WORK, POLICY).tidy()

    assert [node.id for node in engine.store.nodes(gone=True)] == ["node-1", "young"]


def test_a_job_without_its_first_task_is_begun(engine: Engine, clock: ManualClock) -> None:
    """Rule 1: the submitter died between the record and the task."""
    engine.store.add_job(a_job())
    clock.advance(WORK.put_again_after)

    assert Janitor(engine, WORK, POLICY).put_again() == 1

    assert engine.queue.depth() == 1


def test_a_job_past_its_deadline_is_abandoned(engine: Engine, clock: ManualClock) -> None:
    job = submitting.submit(engine, a_job(deadline=clock.now() + MINUTE))
    clock.advance(MINUTE)

    assert Janitor(engine, WORK, POLICY).end_overdue() == 1

    assert engine.store.get_job(job.id).state is JobState.ABANDONED
