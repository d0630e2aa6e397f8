"""What follows from a task's outcome: the next tasks, publication, the job's end."""

from dataclasses import replace

from media_nommer.core.errors import Failure
from media_nommer.core.jobs import Job, JobState
from media_nommer.core.recipes.secrets import has_sealed
from media_nommer.core.tasks import (
    Outcome,
    PlannedTask,
    Result,
    Task,
    TaskKind,
    task_id,
)
from media_nommer.core.workflow.changes import change_job
from media_nommer.core.workflow.claims import HeldTask
from media_nommer.core.workflow.engine import Engine
from media_nommer.core.workflow.publishing import publish
from media_nommer.core.workflow.sealing import drop_seals
from media_nommer.core.workflow.submitting import FIRST_KEY, close_tasks


def follow_up(engine: Engine, held: HeldTask) -> None:
    """Draw every consequence of a committed outcome, and only then let the task go.

    The order is what makes a death at any point harmless (rule 3): records, then messages,
    then the task is settled, then the message that brought us here is removed.

    Raises:
        WorkStopped: the claim or the job is not ours to drive any more.
    """
    draw_consequences(engine, held)
    settle(engine, held)


def draw_consequences(engine: Engine, held: HeldTask) -> None:
    """Do what the outcome asks for; doing it twice does no more than once."""
    task = held.task
    if task.outcome is not Outcome.SUCCEEDED:
        end_job(engine, task)
        return
    planned = _plan(engine, task)
    if planned:
        held.look()
        for after in next_tasks(planned, engine.store.tasks_of(task.job_id, task.run)):
            create_task(engine, task, after)
    else:
        assert task.result is not None, "a task that succeeded has a result"
        publish(engine, held, task.result)


def settle(engine: Engine, held: HeldTask) -> None:
    """Let go of a task all of whose consequences are drawn."""
    held.change(lambda task: task.done(at=engine.clock.now()))
    held.drop_message()


def drop_work(
    engine: Engine,
    held: HeldTask,
    *,
    cpu_seconds: float | None = None,
    log_url: str | None = None,
) -> None:
    """Settle a task whose job became final under our hands."""
    at = engine.clock.now()
    held.change(
        lambda task: task.done(
            at=at, outcome=Outcome.CANCELED, cpu_seconds=cpu_seconds, log_url=log_url
        )
    )
    held.drop_message()


def tidy_run(engine: Engine, task: Task) -> None:
    """Remove what a run left in the work area if its job is over, and its secrets.

    The logs stay.

    It comes last, when nothing depends on it any more; what a death leaves here is found
    by feederd's tidying.
    """
    job = engine.store.get_job(task.job_id)
    if job.state.final or job.run != task.run:
        engine.storage.delete_below(engine.run_url(task.job_id, task.run))
    if job.state.final and has_sealed(job.recipe):
        drop_seals(engine, job.id)


def tell_of_reclaim(engine: Engine, task: Task, why: str) -> None:
    """Put among a job's events that a task of it was handed back, and why.

    It comes after the task is free, which is what matters: a death in between leaves the
    job without the event. A job that is over, or in another run, is told nothing.
    """
    at = engine.clock.now()

    def told(job: Job) -> Job | None:
        if job.state.final or job.run != task.run:
            return None
        return job.with_event("task.handed_back", at=at, detail=f"{task.key}: {why}")

    change_job(engine.store, task.job_id, told)


def end_job(engine: Engine, task: Task) -> Job:
    """Fail or abandon the job of a task that did not succeed."""
    abandoned = task.outcome is Outcome.ABANDONED
    state = JobState.ABANDONED if abandoned else JobState.FAILED
    failure = task.failure or Failure(code="INTERNAL", message="no reason is on record")

    def ended(job: Job) -> Job | None:
        if job.state.final or job.run != task.run:
            return None
        return job.moved_to(state, at=engine.clock.now(), failure=failure)

    job = change_job(engine.store, task.job_id, ended)
    close_tasks(engine, job)
    return job


def next_tasks(
    plan: tuple[PlannedTask, ...], existing: tuple[Task, ...]
) -> tuple[PlannedTask, ...]:
    """Return the planned tasks whose needs are all met and that are not there yet."""
    there = {task.key for task in existing}
    done = {task.key for task in existing if task.succeeded}
    return tuple(
        planned
        for planned in plan
        if planned.key not in there and done.issuperset(planned.needs)
    )


def create_task(engine: Engine, before: Task, planned: PlannedTask) -> None:
    """Create a task if it is absent: its record first, then its message (rule 3)."""
    now = engine.clock.now()
    task = Task(
        id=task_id(before.job_id, before.run, planned.key),
        job_id=before.job_id,
        run=before.run,
        key=planned.key,
        kind=planned.kind,
        outputs=planned.outputs,
        weight=planned.weight,
        priority=before.priority,
        group=before.group,
        created_at=now,
        changed_at=now,
        ready_at=now,
    )
    if engine.store.add_task(task):
        engine.put(task)


def gathered(siblings: tuple[Task, ...]) -> Result:
    """Return all that the tasks of a run have made, as one result."""
    results = [task.result for task in siblings if task.succeeded and task.result]
    whole = Result()
    for result in results:
        whole = replace(
            whole,
            files=(*whole.files, *result.files),
            facts={**whole.facts, **result.facts},
            failures={**whole.failures, **result.failures},
        )
    return whole


def _plan(engine: Engine, task: Task) -> tuple[PlannedTask, ...]:
    """Return the plan of the task's run; empty where this task is what publishes."""
    if task.kind is TaskKind.ASSEMBLE:
        return ()
    first = task
    if task.key != FIRST_KEY:
        first = engine.store.get_task(task_id(task.job_id, task.run, FIRST_KEY))
    return first.result.plan if first.result else ()
