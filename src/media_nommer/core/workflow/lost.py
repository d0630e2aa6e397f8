"""Finding what was lost: messages that never came back, nodes that died (rule 4)."""

from media_nommer.core.errors import Failure
from media_nommer.core.jobs import Job, JobId, JobState
from media_nommer.core.nodes import NodeId
from media_nommer.core.ports.store import JobFilter
from media_nommer.core.tasks import Task
from media_nommer.core.workflow.changes import change_job, change_task
from media_nommer.core.workflow.engine import Engine, WorkPolicy
from media_nommer.core.workflow.submitting import begin_run, close_tasks

#: Each time a task is put again in vain its next wait doubles, this often at most.
MOST_DOUBLINGS = 5

BATCH = 100

_PENDING = JobFilter(states=(JobState.PENDING,))
_RUNNING = JobFilter(states=(JobState.RUNNING,))


class LostWork:
    """Puts again what lies untouched, for feederd and for each worker before it leaves."""

    def __init__(self, engine: Engine, policy: WorkPolicy) -> None:
        self._engine = engine
        self._policy = policy
        self._begun: set[tuple[JobId, int]] = set()

    def put_again(self) -> int:
        """Put every task on the queue that nobody has touched for a while; count them.

        Wall clocks decide what "a while" is, and that is harmless: a message too many finds
        its task claimed or settled.
        """
        return self._put_quiet_tasks() + self._begin_jobs()

    def _put_quiet_tasks(self) -> int:
        store, now = self._engine.store, self._engine.clock.now()
        quiet_since = now - self._policy.put_again_after
        found = 0
        for task in store.unsettled_tasks(quiet_since=quiet_since, limit=BATCH):
            found += self._put_if_due(task)
        return found

    def _put_if_due(self, task: Task) -> bool:
        now = self._engine.clock.now()
        wait = self._policy.put_again_after * 2 ** min(task.puts, MOST_DOUBLINGS)
        if max(task.changed_at, task.ready_at) + wait > now:
            return False
        latest = change_task(
            self._engine.store,
            task.id,
            lambda latest: (
                latest.put_again(at=now) if latest.revision == task.revision else None
            ),
        )
        if latest.settled:
            return False
        self._engine.put(task)
        return True

    def _begin_jobs(self) -> int:
        """Begin the jobs whose submitter died between their record and their first task."""
        store, begun = self._engine.store, 0
        quiet_since = self._engine.clock.now() - self._policy.put_again_after
        page = store.list_jobs(_PENDING, limit=BATCH)
        while True:
            for job in page.jobs:
                if (job.id, job.run) in self._begun or job.changed_at > quiet_since:
                    continue
                begun += begin_run(self._engine, job)
                self._begun.add((job.id, job.run))
            if page.cursor is None:
                return begun
            page = store.list_jobs(_PENDING, limit=BATCH, cursor=page.cursor)


def let_go_of(engine: Engine, node: NodeId) -> int:
    """Free the tasks of a node that is known to be dead; return how many there were.

    Quicker than watching their beats stand still; it counts as a loss all the same.
    """
    freed = 0
    for task in engine.store.unsettled_tasks(limit=10 * BATCH):
        if task.claim is None or task.claim.node != node:
            continue

        def free(latest: Task) -> Task | None:
            if latest.claim is None or latest.claim.node != node:
                return None
            return latest.let_go(at=engine.clock.now())

        change_task(engine.store, task.id, free)
        engine.put(task)
        freed += 1
    return freed


def abandon_overdue(engine: Engine) -> int:
    """Abandon the unfinished jobs whose deadline has passed; return how many there were."""
    now, ended = engine.clock.now(), 0
    failure = Failure(
        code="DEADLINE_PASSED",
        message="the job was not done by its deadline",
        advice="Retry it, with more nodes or with a longer `job_timeout`.",
    )

    def abandoned(job: Job) -> Job | None:
        if job.state.final or job.deadline is None or job.deadline > now:
            return None
        return job.moved_to(JobState.ABANDONED, at=now, failure=failure)

    for wanted in (_PENDING, _RUNNING):
        cursor: str | None = None
        while True:
            page = engine.store.list_jobs(wanted, limit=BATCH, cursor=cursor)
            for job in page.jobs:
                if job.deadline is not None and job.deadline <= now:
                    close_tasks(engine, change_job(engine.store, job.id, abandoned))
                    ended += 1
            if (cursor := page.cursor) is None:
                break
    return ended
