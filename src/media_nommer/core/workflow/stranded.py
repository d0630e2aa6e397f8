"""What workers that died left half-put, in the work area and at destinations: unseen."""

from datetime import datetime, timedelta

import structlog

from media_nommer.core.errors import NommerError
from media_nommer.core.jobs import Job
from media_nommer.core.tasks import TaskKind
from media_nommer.core.workflow.claims import HeldTask
from media_nommer.core.workflow.engine import Engine

log = structlog.get_logger(__name__)

#: Clocks of services and ours are not further apart: they refuse our calls otherwise.
_SKEW = timedelta(minutes=15)


def drop_begun(engine: Engine, held: HeldTask) -> None:
    """Drop what attempts before this one had begun to put, and had no end.

    One of them may still live: it is fenced, and what it puts is of no use.
    """
    _drop_in_work(engine, held)
    if held.job.begun and held.task.kind is TaskKind.INSPECT:  # no other sends ahead there
        drop_stranded(engine, held.job, until=engine.clock.now())


def _drop_in_work(engine: Engine, held: HeldTask) -> None:
    """Drop what attempts at a task had begun to put into the work area."""
    task = held.task
    folder = f"{engine.run_url(task.job_id, task.run)}/{task.key}"
    try:
        dropped = engine.storage.sweep(folder, -_SKEW)
    except NommerError as error:
        log.warning(
            "uploads_left",
            job=task.job_id,
            code=error.code,
            message=error.message,
            advice=error.advice,
        )
        return
    if dropped:
        log.info("uploads_dropped", job=task.job_id, task=task.key, count=dropped)


def drop_stranded(
    engine: Engine,
    job: Job,
    *,
    until: datetime,
    but: frozenset[str] = frozenset(),
) -> bool:
    """Drop what was begun by then of the files that a job has on record as its own to put.

    Return whether there is no use in another try. Only objects with just the recorded names
    are touched, ``but`` not these, and only what began since the job was created: others
    write there too. One who still lives begins its upload anew, if it may put it at all.
    """
    files = (file.url for out in job.outputs for file in out.files)
    urls = tuple(url for url in dict.fromkeys((*files, *job.begun)) if url not in but)
    if not urls:
        return True
    since, until = job.created_at - _SKEW, until + _SKEW
    try:
        dropped = engine.storage.drop_unfinished(urls, since=since, until=until)
    except NommerError as error:
        log.warning(
            "uploads_left",
            job=job.id,
            code=error.code,
            message=error.message,
            advice=error.advice,
        )
        return not error.retryable
    if dropped:
        log.info("uploads_dropped", job=job.id, count=dropped)
    return True
