"""What the rules work on: the ports of one installation, and the limits they keep to."""

from dataclasses import dataclass
from datetime import timedelta

from media_nommer.core.clock import Clock
from media_nommer.core.jobs import JobId
from media_nommer.core.nodes import NodeId
from media_nommer.core.ports.queue import TaskQueue
from media_nommer.core.ports.sealer import Sealer
from media_nommer.core.ports.storage import Storage
from media_nommer.core.ports.store import JobStore
from media_nommer.core.tasks import Task

#: What the folder of a job's secrets is called.
SEALS = "sealed"


@dataclass(frozen=True, slots=True)
class Engine:
    """The ports that feederd and the workers of one installation meet in.

    ``work_url`` is the folder of the work area, without a slash at its end. Without a
    ``sealer`` no job may have secrets. Of many files of one output, ``at_once`` are moved
    at a time.
    """

    store: JobStore
    queue: TaskQueue
    storage: Storage
    work_url: str
    clock: Clock
    sealer: Sealer | None = None
    at_once: int = 1

    def put(self, task: Task) -> None:
        """Put a task's message on the queue."""
        self.queue.put(task.id, priority=task.priority, group=task.group)

    def run_url(self, job_id: JobId, run: int) -> str:
        """Return the folder of what one run makes; it goes when the job is final."""
        return f"{self.jobs_url}/{job_id}/r{run}"

    def seals_url(self, job_id: JobId) -> str:
        """Return the folder of a job's secrets, sealed; it goes when the job is final."""
        return f"{self.jobs_url}/{job_id}/{SEALS}"

    @property
    def jobs_url(self) -> str:
        """Return the folder that holds one for each job."""
        return f"{self.work_url}/jobs"

    @property
    def archive_url(self) -> str:
        """Return the folder of the documents of old jobs."""
        return f"{self.work_url}/archive"

    @property
    def ledger_url(self) -> str:
        """Return the folder that says what nodes were paid for, by the day they ended."""
        return f"{self.work_url}/ledger"

    @property
    def nodes_url(self) -> str:
        """Return the folder that holds one for each node that leaves something here."""
        return f"{self.work_url}/nodes"

    def node_log_url(self, node_id: NodeId) -> str:
        """Return where a node keeps its log, also after its end."""
        return node_log_url(self.work_url, node_id)

    def node_check_url(self, node_id: NodeId) -> str:
        """Return where a node tries to write; what that leaves goes with its log."""
        return f"{self.nodes_url}/{node_id}/check"

    def attempt_url(self, task: Task, claim: int) -> str:
        """Return the folder that belongs to the attempt under a task's claim, by number."""
        return f"{self.run_url(task.job_id, task.run)}/{task.key}/c{claim}"

    def log_url(self, task: Task, claim: int) -> str:
        """Return where the log of an attempt is kept, also after the job's end."""
        name = f"r{task.run}-{task.key}-c{claim}.log"
        return f"{self.jobs_url}/{task.job_id}/logs/{name}"


def node_log_url(work_url: str, node_id: NodeId) -> str:
    """Return where a node keeps its log in a work area."""
    return f"{work_url}/nodes/{node_id}/ec2nommerd.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPolicy:
    """The operator's limits on how work is tried. Field names are those of the settings."""

    #: How long a claim or a delivery outlives its owner's last sign of life.
    lease: timedelta = timedelta(seconds=30)
    #: How often a task may fail, with an error worth another try, before its job fails.
    max_attempts: int = 3
    #: How often a task's worker may die before its job is abandoned.
    max_lost: int = 3
    #: How long a failed task waits the first time; each further wait is twice as long.
    backoff: timedelta = timedelta(seconds=5)
    backoff_limit: timedelta = timedelta(minutes=5)
    #: How long a task may lie untouched before it is put on the queue again.
    put_again_after: timedelta = timedelta(minutes=2)

    @property
    def beat_every(self) -> timedelta:
        """How often an owner shows that it lives: ten times a lease."""
        return self.lease / 10

    def wait_after(self, failures: int) -> timedelta:
        """Return how long a task rests after its ``failures``-th failure in a row."""
        doublings = min(max(failures, 1) - 1, 30)
        return min(self.backoff * (1 << doublings), self.backoff_limit)
