"""Moving old jobs out of the store, to documents in the work area that stay readable.

The record is marked first, by a swap: from then on it cannot change, so a retry either came
before, and the job stays, or is refused (rule 8). Then the document is put, then the record
is forgotten. An id that was forgotten is never used again: nobody who still forgets it,
however late, can take a job away that is wanted.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from media_nommer.core.errors import (
    JobNotFound,
    OutputChanged,
    OutputExists,
    Overtaken,
    SourceNotFound,
    StorageError,
)
from media_nommer.core.jobs import Job, JobId
from media_nommer.core.tasks import Task
from media_nommer.core.wire import dump, load
from media_nommer.core.workflow.engine import Engine

#: Ids that may stand in a URL as they are; ours all do, those that callers send may not.
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
#: How much of an id names its folder: ids begin with their time, so a few days share one.
_FOLDER_LENGTH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class JobArchive:
    """A job and the tasks of all its runs: what its document in the archive holds."""

    job: Job
    tasks: tuple[Task, ...] = ()


def archive_job(engine: Engine, job_id: JobId, *, ended_by: datetime) -> bool:
    """Move a job that was over at ``ended_by`` to the archive; return whether it went.

    A job stays as long as one of its tasks is not settled. May be called again, by anyone,
    after a death at any point; two at once do no more than one.

    Raises:
        StorageError: the work area does not take the document now.
        UnknownVersion: a newer media-nommer has archived a job with this id.
    """
    if not _PLAIN_ID.fullmatch(job_id):
        return False
    try:
        job = engine.store.get_job(job_id)
        if job.archived_at is None:
            if not _may_go(engine, job, ended_by):
                return False
            job = engine.store.swap_job(job.archived(at=engine.clock.now()))
    except (JobNotFound, Overtaken):
        return False
    _put_document(engine, job)
    engine.store.forget_job(job.id, job.run)
    return True


def look_up(engine: Engine, job_id: JobId) -> Job:
    """Return a job from the store, or else from the archive.

    In this order: what is gone from the store has been in the archive since before.

    Raises:
        JobNotFound: neither has one with this id.
    """
    try:
        return engine.store.get_job(job_id)
    except JobNotFound:
        return archived_job(engine, job_id)


def archived_job(engine: Engine, job_id: JobId) -> Job:
    """Return a job from the archive.

    Raises:
        JobNotFound: it is not there.
    """
    found = find_archived(engine, job_id)
    if found is None:
        raise JobNotFound(f"there is no job {job_id}")
    return found.job


def whole_job(engine: Engine, job_id: JobId) -> JobArchive:
    """Return a job with all its tasks, from the store or else from the archive.

    Tasks are forgotten before their job is: if it is gone after we read them, or about to
    go, they may be some of them only.

    Raises:
        JobNotFound: neither has one with this id.
    """
    whole: JobArchive | None = None
    try:
        job = engine.store.get_job(job_id)
        whole = JobArchive(job=job, tasks=_tasks_of(engine, job))
        if not job.state.final or engine.store.get_job(job_id).archived_at is None:
            return whole
    except JobNotFound:
        pass
    found = find_archived(engine, job_id) or whole
    if found is None:
        raise JobNotFound(f"there is no job {job_id}")
    return found


def find_archived(engine: Engine, job_id: JobId) -> JobArchive | None:
    """Return what the archive has of a job, None where it has nothing.

    Raises:
        StorageError: the work area does not answer, or the document is damaged.
        UnknownVersion: a newer media-nommer wrote it.
    """
    if not _PLAIN_ID.fullmatch(job_id):
        return None
    url = document_url(engine, job_id)
    try:
        data = engine.storage.read(url)
    except SourceNotFound:
        return None
    try:
        return load(JobArchive, data.decode())
    except (ValueError, KeyError, TypeError) as error:
        raise StorageError(
            f"{url} is not the document of an archived job",
            advice="Put it back from a backup, or remove it: then the job is forgotten.",
        ) from error


def document_url(engine: Engine, job_id: JobId) -> str:
    """Return where the document of an archived job is."""
    return f"{engine.archive_url}/{job_id[:_FOLDER_LENGTH]}/{job_id}.json"


def _may_go(engine: Engine, job: Job, ended_by: datetime) -> bool:
    """Return whether a job was over by then, and nobody has anything left to do for it."""
    if not job.state.final or job.finished_at is None or job.finished_at > ended_by:
        return False
    return all(task.settled for task in _tasks_of(engine, job))


def _tasks_of(engine: Engine, job: Job) -> tuple[Task, ...]:
    runs = range(1, job.run + 1)
    return tuple(task for run in runs for task in engine.store.tasks_of(job.id, run))


def _put_document(engine: Engine, job: Job) -> None:
    """Put the document of a marked job in its place, unless it is there.

    One with another mark was made before the store went back to a past state: what the
    store says now takes its place. Tasks that somebody forgets while we read them are in
    a document by then: our put finds the place changed.
    """
    url = document_url(engine, job.id)
    standing = engine.storage.stat(url)
    if standing is not None and _has_document(engine, job):
        return
    text = dump(JobArchive(job=job, tasks=_tasks_of(engine, job)))
    try:
        _put_text(engine, text, url, before=standing.version if standing else None)
    except (OutputExists, OutputChanged):
        if not _has_document(engine, job):
            raise


def _has_document(engine: Engine, job: Job) -> bool:
    """Return whether the archive has this job as it was marked."""
    found = find_archived(engine, job.id)
    return found is not None and found.job.archived_at == job.archived_at


def _put_text(engine: Engine, text: str, url: str, *, before: str | None) -> None:
    try:
        with TemporaryDirectory(prefix="nommer-archive-") as folder:
            path = Path(folder) / "job.json"
            path.write_text(text, encoding="utf-8")
            engine.storage.put(path, url, before=before)
    except OSError as error:
        raise StorageError(
            f"the document for {url} cannot be written here: {error.strerror}"
        ) from error
