"""Where job, task and node records are kept."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime

from media_nommer.core.jobs import Job, JobId, JobState
from media_nommer.core.nodes import Duty, Node, NodeId
from media_nommer.core.tasks import Task, TaskId


@dataclass(frozen=True, slots=True)
class JobPage:
    """Some jobs, newest first; ``cursor`` asks for the next page, None at the end."""

    jobs: tuple[Job, ...]
    cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs a list shows: those of which all that is said here is true.

    ``states`` none means all states; ``tag`` is a name and its value; times are those of
    creation, ``since`` included and ``until`` not.
    """

    states: tuple[JobState, ...] = ()
    tag: tuple[str, str] | None = None
    preset: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def admits(self, job: Job) -> bool:
        """Return whether a job is one of them."""
        return (
            (not self.states or job.state in self.states)
            and (self.tag is None or job.tags.get(self.tag[0]) == self.tag[1])
            and (self.preset is None or self.preset in job.presets)
            and (self.since is None or job.created_at >= self.since)
            and (self.until is None or job.created_at < self.until)
        )


EVERY_JOB = JobFilter()


class JobStore(ABC):
    """Keeps the latest version of every record and refuses changes based on an older one.

    One record at a time: nothing here spans two (rule 3). A record, ``tasks_of``, ``nodes``
    and duties are read as the last write that returned left them; ``list_jobs`` and
    ``unsettled_tasks`` may lag behind by a second, and of tasks unchanged since the same
    minute any may be those that ``limit`` leaves out. A ``swap`` replaces the version whose
    ``revision`` its argument carries, and returns the record with the revision that it has
    now; of two swaps of one revision exactly one is believed. Methods may be called from
    any thread, and raise ServiceUnavailable when the store does not answer.

    Every adapter must pass ``media_nommer.testing.store_contract``.
    """

    @abstractmethod
    def add_job(self, job: Job) -> Job:
        """Remember a new job; no swap changes its tags, presets and time of creation.

        Raises:
            AlreadyExists: there is a job with this id.
        """

    @abstractmethod
    def get_job(self, job_id: JobId) -> Job:
        """Return the latest version of a job.

        Raises:
            JobNotFound: no job has this id.
        """

    @abstractmethod
    def swap_job(self, job: Job) -> Job:
        """Replace the version that ``job`` was made from.

        Raises:
            Overtaken: another version was stored meanwhile.
            JobNotFound: no job has this id.
        """

    @abstractmethod
    def list_jobs(
        self,
        wanted: JobFilter = EVERY_JOB,
        *,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        """Return a page of the jobs that ``wanted`` admits, newest created first.

        A page may be short, or empty, and still have a cursor.

        Raises:
            InvalidCursor: ``cursor`` did not come from this method.
        """

    @abstractmethod
    def forget_job(self, job_id: JobId, runs: int) -> None:
        """Remove a job, and before it the tasks of its ``runs`` runs; none is no matter."""

    @abstractmethod
    def add_task(self, task: Task) -> bool:
        """Remember a new task if none has its id; return whether it was new."""

    @abstractmethod
    def get_task(self, task_id: TaskId) -> Task:
        """Return the latest version of a task.

        Raises:
            TaskNotFound: no task has this id.
        """

    @abstractmethod
    def swap_task(self, task: Task) -> Task:
        """Replace the version that ``task`` was made from.

        Raises:
            Overtaken: another version was stored meanwhile.
            TaskNotFound: no task has this id.
        """

    @abstractmethod
    def tasks_of(self, job_id: JobId, run: int) -> tuple[Task, ...]:
        """Return every task of one run of a job, by creation."""

    @abstractmethod
    def unsettled_tasks(
        self, *, quiet_since: datetime | None = None, limit: int = 100
    ) -> tuple[Task, ...]:
        """Return tasks that are not settled, the longest unchanged first.

        With ``quiet_since``, only those whose ``changed_at`` is at or before it.
        """

    @abstractmethod
    def add_node(self, node: Node) -> Node:
        """Remember a new node.

        Raises:
            AlreadyExists: there is a node with this id.
        """

    @abstractmethod
    def get_node(self, node_id: NodeId) -> Node:
        """Return the latest version of a node.

        Raises:
            NodeNotFound: no node has this id.
        """

    @abstractmethod
    def swap_node(self, node: Node) -> Node:
        """Replace the version that ``node`` was made from.

        Raises:
            Overtaken: another version was stored meanwhile.
            NodeNotFound: no node has this id.
        """

    @abstractmethod
    def nodes(self, *, gone: bool = False) -> tuple[Node, ...]:
        """Return the nodes by id; those that are gone only where ``gone`` asks for them."""

    @abstractmethod
    def forget_node(self, node_id: NodeId) -> None:
        """Remove the record of a node that is gone; nothing happens where there is none."""

    @abstractmethod
    def get_duty(self, name: str) -> Duty | None:
        """Return who has a duty, None when nobody ever had it."""

    @abstractmethod
    def swap_duty(self, duty: Duty) -> Duty:
        """Replace the version that ``duty`` was made from; revision 0 means a first one.

        Raises:
            Overtaken: another version was stored meanwhile.
        """
