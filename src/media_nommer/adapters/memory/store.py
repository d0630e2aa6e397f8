"""Job, task and node records in the memory of one process."""

import heapq
import threading
from dataclasses import replace
from datetime import datetime

from typing_extensions import override

from media_nommer.core.cursors import dump_cursor, load_cursor, place_of
from media_nommer.core.errors import (
    AlreadyExists,
    JobNotFound,
    NodeNotFound,
    Overtaken,
    TaskNotFound,
)
from media_nommer.core.jobs import Job, JobId
from media_nommer.core.nodes import Duty, Node, NodeId
from media_nommer.core.ports.store import EVERY_JOB, JobFilter, JobPage, JobStore
from media_nommer.core.tasks import Task, TaskId

#: The revision of a record that has never been changed; one that is not stored has 0.
_FIRST = 1


class MemoryStore(JobStore):
    """Keeps the records themselves, since they are values; gone with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[JobId, Job] = {}
        self._tasks: dict[TaskId, Task] = {}
        self._runs: dict[tuple[JobId, int], list[TaskId]] = {}
        self._unsettled: dict[TaskId, Task] = {}
        self._nodes: dict[NodeId, Node] = {}
        self._duties: dict[str, Duty] = {}

    @override
    def add_job(self, job: Job) -> Job:
        """Remember a new job."""
        with self._lock:
            if job.id in self._jobs:
                raise AlreadyExists(f"there is a job {job.id} already")
            self._jobs[job.id] = added = replace(job, revision=_FIRST)
        return added

    @override
    def get_job(self, job_id: JobId) -> Job:
        """Return the latest version of a job."""
        with self._lock:
            job = self._jobs.get(job_id)
        if job is None:
            raise JobNotFound(f"there is no job {job_id}")
        return job

    @override
    def swap_job(self, job: Job) -> Job:
        """Replace the version that ``job`` was made from."""
        with self._lock:
            stored = self._jobs.get(job.id)
            if stored is None:
                raise JobNotFound(f"there is no job {job.id}")
            if stored.revision != job.revision:
                raise Overtaken(f"job {job.id} was changed meanwhile")
            self._jobs[job.id] = swapped = replace(job, revision=job.revision + 1)
        return swapped

    @override
    def list_jobs(
        self,
        wanted: JobFilter = EVERY_JOB,
        *,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        """Return a page of the jobs that ``wanted`` admits, newest created first."""
        after = load_cursor(cursor) if cursor is not None else None
        with self._lock:
            jobs = list(self._jobs.values())
        admitted = (
            job
            for job in jobs
            if wanted.admits(job) and (after is None or place_of(job) < after)
        )
        found = heapq.nlargest(limit + 1, admitted, key=place_of)
        more = len(found) > limit
        page = tuple(found[:limit])
        return JobPage(page, dump_cursor(place_of(page[-1])) if more and page else None)

    @override
    def forget_job(self, job_id: JobId, runs: int) -> None:
        """Remove a job and the tasks of its ``runs`` runs."""
        with self._lock:
            for run in range(1, runs + 1):
                for task_id in self._runs.pop((job_id, run), ()):
                    del self._tasks[task_id]
                    self._unsettled.pop(task_id, None)
            self._jobs.pop(job_id, None)

    @override
    def add_task(self, task: Task) -> bool:
        """Remember a new task if none has its id; return whether it was new."""
        with self._lock:
            if task.id in self._tasks:
                return False
            self._keep(replace(task, revision=_FIRST))
            self._runs.setdefault((task.job_id, task.run), []).append(task.id)
        return True

    @override
    def get_task(self, task_id: TaskId) -> Task:
        """Return the latest version of a task."""
        with self._lock:
            task = self._tasks.get(task_id)
        if task is None:
            raise TaskNotFound(f"there is no task {task_id}")
        return task

    @override
    def swap_task(self, task: Task) -> Task:
        """Replace the version that ``task`` was made from."""
        with self._lock:
            stored = self._tasks.get(task.id)
            if stored is None:
                raise TaskNotFound(f"there is no task {task.id}")
            if stored.revision != task.revision:
                raise Overtaken(f"task {task.id} was changed meanwhile")
            swapped = replace(task, revision=task.revision + 1)
            self._keep(swapped)
        return swapped

    @override
    def tasks_of(self, job_id: JobId, run: int) -> tuple[Task, ...]:
        """Return every task of one run of a job, by creation."""
        with self._lock:
            tasks = [self._tasks[each] for each in self._runs.get((job_id, run), ())]
        return tuple(sorted(tasks, key=lambda task: (task.created_at, task.id)))

    @override
    def unsettled_tasks(
        self, *, quiet_since: datetime | None = None, limit: int = 100
    ) -> tuple[Task, ...]:
        """Return tasks that are not settled, the longest unchanged first."""
        with self._lock:
            tasks = list(self._unsettled.values())
        quiet = (t for t in tasks if quiet_since is None or t.changed_at <= quiet_since)
        return tuple(heapq.nsmallest(limit, quiet, key=lambda t: (t.changed_at, t.id)))

    @override
    def add_node(self, node: Node) -> Node:
        """Remember a new node."""
        with self._lock:
            if node.id in self._nodes:
                raise AlreadyExists(f"there is a node {node.id} already")
            self._nodes[node.id] = added = replace(node, revision=_FIRST)
        return added

    @override
    def get_node(self, node_id: NodeId) -> Node:
        """Return the latest version of a node."""
        with self._lock:
            node = self._nodes.get(node_id)
        if node is None:
            raise NodeNotFound(f"there is no node {node_id}")
        return node

    @override
    def swap_node(self, node: Node) -> Node:
        """Replace the version that ``node`` was made from."""
        with self._lock:
            stored = self._nodes.get(node.id)
            if stored is None:
                raise NodeNotFound(f"there is no node {node.id}")
            if stored.revision != node.revision:
                raise Overtaken(f"node {node.id} was changed meanwhile")
            self._nodes[node.id] = swapped = replace(node, revision=node.revision + 1)
        return swapped

    @override
    def nodes(self, *, gone: bool = False) -> tuple[Node, ...]:
        """Return the nodes by id; those that are gone only where ``gone`` asks for them."""
        with self._lock:
            nodes = list(self._nodes.values())
        return tuple(
            sorted((n for n in nodes if gone or not n.gone), key=lambda node: node.id)
        )

    @override
    def forget_node(self, node_id: NodeId) -> None:
        """Remove the record of a node that is gone."""
        with self._lock:
            self._nodes.pop(node_id, None)

    @override
    def get_duty(self, name: str) -> Duty | None:
        """Return who has a duty, None when nobody ever had it."""
        with self._lock:
            return self._duties.get(name)

    @override
    def swap_duty(self, duty: Duty) -> Duty:
        """Replace the version that ``duty`` was made from; revision 0 means a first one."""
        with self._lock:
            stored = self._duties.get(duty.name)
            if duty.revision != (stored.revision if stored else 0):
                raise Overtaken(f"somebody else took the duty {duty.name} meanwhile")
            self._duties[duty.name] = swapped = replace(duty, revision=duty.revision + 1)
        return swapped

    def _keep(self, task: Task) -> None:
        self._tasks[task.id] = task
        if task.settled:
            self._unsettled.pop(task.id, None)
        else:
            self._unsettled[task.id] = task
