"""What ended jobs and nodes left in the work area, and who no longer needs it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from media_nommer.core.errors import JobNotFound, StorageError
from media_nommer.core.jobs import Job, JobId
from media_nommer.core.nodes import given_at
from media_nommer.core.wire import UnknownVersion
from media_nommer.core.workflow.archiving import archived_job, look_up
from media_nommer.core.workflow.engine import SEALS, Engine
from media_nommer.core.workflow.sealing import drop_seals
from media_nommer.core.workflow.stranded import drop_stranded
from media_nommer.core.workflow.watch import BeatWatch
from media_nommer.feederd.patience import JanitorPolicy

log = structlog.get_logger(__name__)

_RUN = re.compile(r"r[0-9]+")

#: A writer that began so long ago and is not done has died.
LONG_DEAD = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class _JobEnd:
    """Which run of a job is its last, and since when that is over; None while it is not."""

    run: int
    since: datetime | None

    @classmethod
    def of(cls, job: Job) -> "_JobEnd":
        return cls(job.run, job.finished_at if job.state.final else None)


class Leftovers:
    """Removes from the work area what no one needs any more.

    A folder whose job is neither on record nor in the archive is left alone, but for
    secrets.
    """

    def __init__(self, engine: Engine, policy: JanitorPolicy) -> None:
        self._engine = engine
        self._policy = policy
        self._archived: dict[JobId, _JobEnd] = {}
        self._strays = BeatWatch(engine.clock)

    def of_jobs(self) -> int:
        """Remove what runs of final jobs left, and old logs; return how many folders."""
        removed = 0
        left = self._left_by_job()
        self._archived = {k: end for k, end in self._archived.items() if k in left}
        for job_id, folders in left.items():
            end = self._end_of(job_id)
            if end is None:
                removed += SEALS in folders and self._remove_stray_seals(job_id)
                continue
            for folder in self._not_needed(end, folders):
                if folder not in {"logs", SEALS} and not self._dropped(job_id, end):
                    continue  # the next time
                self._engine.storage.delete_below(
                    f"{self._engine.jobs_url}/{job_id}/{folder}"
                )
                removed += 1
        return removed

    def of_nodes(self) -> int:
        """Remove what nodes that ended long ago kept of their logs.

        How old they are their ids tell; what has another name is not ours.
        """
        start = len(self._engine.nodes_url) + 1
        there = {node.id for node in self._engine.store.nodes()}
        urls = self._engine.storage.list(self._engine.nodes_url)
        removed = 0
        for name in sorted({url[start:].partition("/")[0] for url in urls}):
            began = given_at(name)
            if began is None or name in there:
                continue
            if self._engine.clock.now() - began >= self._policy.keep_logs_for:
                self._engine.storage.delete_below(f"{self._engine.nodes_url}/{name}")
                removed += 1
        return removed

    def _remove_stray_seals(self, job_id: JobId) -> bool:
        """Remove the secrets of a job that never came to be on record."""
        if self._strays.still_for(job_id, None) < LONG_DEAD:
            return False
        drop_seals(self._engine, job_id)
        self._strays.forget(job_id)
        return True

    def _left_by_job(self) -> dict[JobId, set[str]]:
        """Return the names of the folders that each job has in the work area."""
        left: dict[JobId, set[str]] = {}
        start = len(self._engine.jobs_url) + 1
        for url in self._engine.storage.list(self._engine.jobs_url):
            job_id, _, rest = url[start:].partition("/")
            folder, slash, _ = rest.partition("/")
            if slash:
                left.setdefault(JobId(job_id), set()).add(folder)
        return left

    def _end_of(self, job_id: JobId) -> _JobEnd | None:
        """Return how a job ended; None for a job of which nothing is known.

        Documents of the archive are read once: a job's logs may outlast its record by far.
        """
        if job_id in self._archived:
            return self._archived[job_id]
        try:
            return _JobEnd.of(self._engine.store.get_job(job_id))
        except JobNotFound:
            pass
        try:
            end = _JobEnd.of(archived_job(self._engine, job_id))
        except JobNotFound:
            return None
        except (StorageError, UnknownVersion) as error:
            log.warning("archive_unreadable", job=job_id, message=error.message)
            return None
        self._archived[job_id] = end
        return end

    def _not_needed(self, end: _JobEnd, folders: set[str]) -> Iterator[str]:
        for folder in sorted(folders):
            if folder == "logs":
                if self._over_for(end, self._policy.keep_logs_for):
                    yield folder
            elif folder == SEALS:
                if end.since is not None:
                    yield folder
            elif _RUN.fullmatch(folder):
                past = folder != f"r{end.run}"
                if past or self._over_for(end, self._policy.keep_runs_for):
                    yield folder

    def _dropped(self, job_id: JobId, end: _JobEnd) -> bool:
        """Drop what the worker had half-put that never came to tidy up; False to wait.

        While a job goes on its workers do that themselves.
        """
        if end.since is None:
            return True
        try:
            job = look_up(self._engine, job_id)
        except JobNotFound:
            return True
        return drop_stranded(self._engine, job, until=end.since)

    def _over_for(self, end: _JobEnd, period: timedelta) -> bool:
        return end.since is not None and self._engine.clock.now() - end.since >= period
