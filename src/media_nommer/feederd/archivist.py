"""When old jobs leave the store for the archive: a few at a time, and seldom looked for."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

import structlog

from media_nommer.core.errors import NommerError, ServiceUnavailable
from media_nommer.core.jobs import Job, JobId, JobState
from media_nommer.core.ports.store import JobFilter
from media_nommer.core.workflow.archiving import archive_job
from media_nommer.core.workflow.engine import Engine

log = structlog.get_logger(__name__)

#: How long nobody looks again once there was nothing more to move.
REST = timedelta(hours=1)
MOST_A_ROUND = 100

_FINAL = tuple(state for state in JobState if state.final)


class Archivist:
    """Moves jobs to the archive that have been over for ``keep_jobs_for``.

    Where there is nothing to move, that costs one list a final state and hour.
    """

    def __init__(self, engine: Engine, keep_jobs_for: timedelta) -> None:
        self._engine = engine
        self._keep_jobs_for = keep_jobs_for
        self._rests_until = engine.clock.monotonic()

    def step(self) -> int:
        """Move a round of jobs, unless we rest; return how many went.

        A full round is followed by another one at the next step.
        """
        if self._engine.clock.monotonic() < self._rests_until:
            return 0
        ended_by = self._engine.clock.now() - self._keep_jobs_for
        tried = [
            self._move(job.id, ended_by)
            for job in islice(self._old_jobs(ended_by), MOST_A_ROUND)
        ]
        moved = sum(tried)
        if len(tried) < MOST_A_ROUND or not moved:
            self._rests_until = self._engine.clock.monotonic() + REST.total_seconds()
        if moved:
            log.info("jobs_archived", count=moved)
        return moved

    def _old_jobs(self, ended_by: datetime) -> Iterator[Job]:
        """Yield the jobs that were over by then, and those whose way was interrupted.

        Lists go by creation, which is before the end: some of theirs ended only lately.
        """
        for state in _FINAL:
            wanted = JobFilter(states=(state,), until=ended_by + timedelta.resolution)
            cursor: str | None = None
            while True:
                store = self._engine.store
                page = store.list_jobs(wanted, limit=MOST_A_ROUND, cursor=cursor)
                for job in page.jobs:
                    ended = job.finished_at is not None and job.finished_at <= ended_by
                    if ended or job.archived_at is not None:
                        yield job
                if (cursor := page.cursor) is None:
                    break

    def _move(self, job_id: JobId, ended_by: datetime) -> bool:
        """Move one job; what is wrong with it alone holds up no other."""
        try:
            return archive_job(self._engine, job_id, ended_by=ended_by)
        except ServiceUnavailable:
            raise
        except NommerError as error:
            log.warning(
                "job_not_archived", job=job_id, code=error.code, message=error.message
            )
            return False
