"""Beginning, retrying and canceling: how a job comes to be worked on, or stops being so."""

from media_nommer.core.errors import AlreadyExists, JobNotFound, SecretsGone
from media_nommer.core.jobs import Job, JobId, JobState
from media_nommer.core.recipes.secrets import has_sealed
from media_nommer.core.tasks import Outcome, Task, TaskKind, TaskState, task_id
from media_nommer.core.workflow.archiving import archived_job, look_up
from media_nommer.core.workflow.changes import change_job, change_task
from media_nommer.core.workflow.engine import Engine

FIRST_KEY = "inspect"


def submit(engine: Engine, job: Job) -> Job:
    """Remember a job and begin it; the same job again is that job, not a second one.

    Once this has returned the job ends in a final state, whatever dies (rule 1). Who gives
    it an id that may have been used long ago asks ``look_up`` first: what has gone to the
    archive is not seen here.
    """
    try:
        kept = engine.store.add_job(job)
    except AlreadyExists:
        kept = look_up(engine, job.id)
    resume(engine, kept)
    return kept


def resume(engine: Engine, job: Job) -> None:
    """Begin a job that is on record, should its submitter have died before they could."""
    if not job.state.final:
        begin_run(engine, job)


def begin_run(engine: Engine, job: Job) -> bool:
    """Create the first task of a job's run if it is absent; return whether it was.

    Record first, then the message (rule 3).
    """
    now = engine.clock.now()
    first = Task(
        id=task_id(job.id, job.run, FIRST_KEY),
        job_id=job.id,
        run=job.run,
        key=FIRST_KEY,
        kind=TaskKind.INSPECT,
        priority=job.priority,
        group=job.group or job.id,
        created_at=now,
        changed_at=now,
        ready_at=now,
    )
    new = engine.store.add_task(first)
    if new:
        engine.put(first)
    return new


def retry(engine: Engine, job_id: JobId, *, whole: bool = False) -> Job:
    """Start a new run of a final job: of the outputs that are not in place, or of all.

    Raises:
        JobNotFound: no job has this id.
        JobArchived: the job has gone to the archive.
        IllegalTransition: the job is not final, or every output of it is in place.
        SecretsGone: it had keys, which nobody has any more.
    """

    def retried(job: Job) -> Job:
        if job.state.final and has_sealed(job.recipe):
            raise SecretsGone(f"the keys of job {job.id} were deleted when it ended")
        return job.retried(at=engine.clock.now(), whole=whole)

    try:
        job = change_job(engine.store, job_id, retried)
    except JobNotFound:
        retried(archived_job(engine, job_id))  # says why it cannot be
        raise
    begin_run(engine, job)
    return job


def cancel(engine: Engine, job_id: JobId) -> Job:
    """Make a job final now; its workers notice at their next look. A final job stays so.

    Raises:
        JobNotFound: no job has this id.
    """

    def canceled(job: Job) -> Job | None:
        if job.state.final:
            return None
        return job.moved_to(JobState.CANCELED, at=engine.clock.now())

    try:
        job = change_job(engine.store, job_id, canceled)
    except JobNotFound:
        return archived_job(engine, job_id)
    close_tasks(engine, job)
    return job


def close_tasks(engine: Engine, job: Job) -> None:
    """Settle the tasks of a final job that nobody works on, so that nobody begins them."""

    def closed(task: Task) -> Task | None:
        if task.settled or task.claim is not None:
            return None
        return task.done(at=engine.clock.now(), outcome=Outcome.CANCELED)

    for task in engine.store.tasks_of(job.id, job.run):
        if task.state is TaskState.READY:
            change_task(engine.store, task.id, closed)
