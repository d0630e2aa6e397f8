"""What waits and what is worked on, and how long it will take: learned as jobs finish."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from media_nommer.core.errors import JobNotFound
from media_nommer.core.jobs import Job, JobId, JobState
from media_nommer.core.nodes import NodeId
from media_nommer.core.ports.store import JobFilter
from media_nommer.core.tasks import Task
from media_nommer.core.workflow.engine import Engine
from media_nommer.planning.fleet.estimates import (
    Estimates,
    film_seconds_of,
    samples_of,
    seconds_left,
    traits_of,
)

log = structlog.get_logger(__name__)

FINISHED = JobFilter(states=(JobState.FINISHED,))


@dataclass(frozen=True, slots=True)
class Backlog:
    """Seconds of each task: ``waiting`` for a slot, in turn, and left of the others."""

    waiting: tuple[float, ...]
    working: tuple[float, ...]


class BacklogReader:
    """Reads the backlog from the store, and keeps what it learned from past jobs.

    All it knows can be learned anew: at its first look it learns from the ``look_back``
    newest finished jobs, then, while something waits, every ``learn_every`` from those that
    finished since. Of at most ``lookups`` new jobs a look it reads what they are like; the
    others count as most tasks of their kind until the next look.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        look_back: int = 20,
        learn_every: timedelta = timedelta(minutes=1),
        lookups: int = 25,
    ) -> None:
        self._engine = engine
        self._look_back = look_back
        self._learn_every = learn_every.total_seconds()
        self._lookups = lookups
        self._estimates = Estimates()
        self._learned_from: frozenset[JobId] = frozenset()
        self._learned_at: float | None = None
        self._jobs: dict[JobId, Job] = {}

    def read(self, serving: frozenset[NodeId], soon: timedelta, *, limit: int) -> Backlog:
        """Return the tasks that are not settled, ``limit`` of them at most.

        What a node not in ``serving`` holds waits, as its node will not finish it. A task
        that rests for longer than ``soon`` does not wait yet.
        """
        tasks = self._engine.store.unsettled_tasks(limit=limit)
        if tasks:
            self._learn()
        self._look_up(tasks)
        worked_on = [t for t in tasks if t.claim is not None and t.claim.node in serving]
        held = {task.id for task in worked_on}
        soonest = self._engine.clock.now() + soon
        return Backlog(
            waiting=tuple(
                self._estimate(task)
                for task in tasks
                if task.id not in held and task.ready_at <= soonest
            ),
            working=tuple(self._left_of(task) for task in worked_on),
        )

    def _learn(self) -> None:
        """Learn from the jobs that finished since the last time, if that was long ago."""
        now = self._engine.clock.monotonic()
        if self._learned_at is not None and now - self._learned_at < self._learn_every:
            return
        jobs = self._engine.store.list_jobs(FINISHED, limit=self._look_back).jobs
        new = [job for job in reversed(jobs) if job.id not in self._learned_from]
        for job in new:
            tasks = self._engine.store.tasks_of(job.id, job.run)
            self._estimates = self._estimates.learned(samples_of(job, tasks))
        self._learned_from = frozenset(job.id for job in jobs)
        self._learned_at = now
        if new:
            log.debug("durations_learned", jobs=len(new))

    def _look_up(self, tasks: Iterable[Task]) -> None:
        """Know the jobs of these tasks, and no others."""
        wanted = list(dict.fromkeys(task.job_id for task in tasks))
        self._jobs = {
            job_id: self._jobs[job_id] for job_id in wanted if job_id in self._jobs
        }
        new = [job_id for job_id in wanted if job_id not in self._jobs]
        for job_id in new[: self._lookups]:
            try:
                self._jobs[job_id] = self._engine.store.get_job(job_id)
            except JobNotFound:  # its tasks are about to go, too
                continue

    def _estimate(self, task: Task) -> float:
        job = self._jobs.get(task.job_id)
        if job is None:
            return self._estimates.of((task.kind,))
        return self._estimates.of(traits_of(job, task.kind), film_seconds_of(job))

    def _left_of(self, task: Task) -> float:
        assert task.claim is not None, "somebody works on it"
        elapsed = (self._engine.clock.now() - task.claim.since).total_seconds()
        return seconds_left(self._estimate(task), elapsed, task.progress)
