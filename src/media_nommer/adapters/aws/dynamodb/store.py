"""Job, task and node records in one table of DynamoDB.

**What lies where.** Each record is one item; its JSON, compressed, is one attribute. Beside
it stand the revision that the next write is conditional on, the names of the first and the
last write (see ``table``), and what indexes need.

=================  ============================  =======================================
item               partition and place           in the indexes
=================  ============================  =======================================
job                ``job ID``, ``=``             all jobs, jobs by state; keys only
label of a job     tag or preset, time and ID    none: it is one
task               ``tasks JOB SHARD``, task ID  while unsettled: by shard and minute
node               ``nodes SHARD``, node ID      none
node that is gone  ``gone SHARD``, node ID       none
duty               ``duty NAME``, ``=``          none
=================  ============================  =======================================

**Siblings.** What decides which task is next must see all that was written (rule 3), so the
tasks of a job are not found by an index, which lags, but by a consistent query of the table
itself. They lie in a few partitions for each job, chosen by a digest of the task's id: a
thousand workers on one job that report every three seconds write some 85 times a second
to each, where DynamoDB takes 1,000. That is cheaper than a list of members beside tasks
spread all over: nothing more is written, and a query pays for the sum of sizes where single
reads round each up to 4 KB. A task's id says whose it is, so one read finds it by id alone.

**Quiet tasks.** The index of unsettled tasks is sorted by the minute in which a task was
last changed, rounded down, so that beats write to it once a minute. A task whose minute is
at or before that of ``quiet_since`` may be quiet, no other can; the records then say it.
Of tasks of one minute, any may be the ones that ``limit`` leaves out.

**What lags.** Indexes, and the records that lists of jobs and of unsettled tasks read, may
be a second old. Records, siblings, nodes and duties are as the last write left them.

**What it costs**, in request units (writes per KB and reads per 4 KB begun, an index of
the table counting as one more item; records of up to 1 KB compressed, as nearly all are):

========================================  ============================================
call                                      request units
========================================  ============================================
``add_job``                               3 writes, and 1 for each tag and preset
``swap_job``                              1 write; 3 when the state changes
``get_job``, ``get_task``, ``get_node``   1 read
``list_jobs`` of n                        n/2 reads, and 1/2 for each 40 places looked at
``add_task``                              2 writes
``swap_task``                             1 write; 3 in a new minute; 2 to settle it
``tasks_of`` of n                         4 reads, or n/4 where that is more
``unsettled_tasks`` of n                  n/2 reads, and 2 for the index
``add_node``                              1 write, 1 read
``swap_node``                             1 write; 3 when it goes, and then no more reads
``nodes`` of n                            4 reads, or n/8 where that is more; twice if gone
``get_duty``, ``swap_duty``               1 read, 1 write
``forget_job``                            1 write for each task, tag, preset; 3 for the job
a job that expires by itself              1 write for each task, tag and preset; no more
========================================  ============================================

A write that loses to another costs what it would have cost.
"""

import heapq
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import structlog
from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients
from media_nommer.adapters.aws.dynamodb.jobs import Jobs
from media_nommer.adapters.aws.dynamodb.nodes import Nodes
from media_nommer.adapters.aws.dynamodb.setup import create_table
from media_nommer.adapters.aws.dynamodb.table import (
    OPEN,
    SHARDS,
    DynamoTable,
    Key,
    Look,
    shard_of,
)
from media_nommer.adapters.aws.items.duties import Duties
from media_nommer.adapters.aws.items.packing import key_of, run_key, run_start, task_home
from media_nommer.adapters.aws.items.records import Index, Item, Records
from media_nommer.core.cursors import microseconds
from media_nommer.core.errors import (
    ServiceUnavailable,
    TaskNotFound,
)
from media_nommer.core.jobs import Job, JobId, JobState
from media_nommer.core.nodes import Duty, Node, NodeId
from media_nommer.core.ports.store import EVERY_JOB, JobFilter, JobPage, JobStore
from media_nommer.core.tasks import Task, TaskId

__all__ = ["DynamoStore", "create_table"]

log = structlog.get_logger(__name__)

_MINUTE = 60_000_000


class DynamoStore(JobStore):
    """Keeps records in a table that ``create_table`` has made.

    ``keep_jobs_for`` is how long DynamoDB keeps a final job with its tasks before it
    removes them by itself, None for ever; a retry stops that. ``pause`` waits between the
    tries of a batch that DynamoDB has cut short.
    """

    def __init__(
        self,
        clients: AwsClients,
        table: str,
        *,
        keep_jobs_for: timedelta | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._table = DynamoTable(clients, table, pause=pause)
        self._jobs = Jobs(self._table, keep_jobs_for)
        self._keeps = keep_jobs_for is None
        self._tasks = Records(self._table, Task, TaskNotFound)
        self._nodes = Nodes(self._table)
        self._duties = Duties(self._table, _duty_key)

    @override
    def add_job(self, job: Job) -> Job:
        """Remember a new job."""
        return self._jobs.add(job)

    @override
    def get_job(self, job_id: JobId) -> Job:
        """Return the latest version of a job."""
        return self._jobs.get(job_id)

    @override
    def swap_job(self, job: Job) -> Job:
        """Replace the version that ``job`` was made from."""
        if job.state is JobState.PENDING and job.run > 1:
            self._expire_parts(job, None)
        swapped, ended = self._jobs.swap(job)
        if ended:
            try:
                self._expire_parts(swapped, self._jobs.expires(swapped))
            except ServiceUnavailable as error:
                # The job is final all the same; some of its parts will be left over.
                log.warning("expiry_not_set", job=job.id, message=error.message)
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
        return self._jobs.page(wanted, limit, cursor)

    @override
    def forget_job(self, job_id: JobId, runs: int) -> None:
        """Remove a job, and before it the tasks of its runs."""
        for run in range(1, runs + 1):
            tasks = self.tasks_of(job_id, run)
            self._table.write(deletes=(_task_key(task.id) for task in tasks))
        self._jobs.forget(job_id)

    @override
    def add_task(self, task: Task) -> bool:
        """Remember a new task if none has its id; return whether it was new."""
        run_key(task)
        return self._tasks.add(_task_key(task.id), task, _task_index(task)) is not None

    @override
    def get_task(self, task_id: TaskId) -> Task:
        """Return the latest version of a task."""
        return self._tasks.get(_task_key(task_id), task_id)

    @override
    def swap_task(self, task: Task) -> Task:
        """Replace the version that ``task`` was made from."""
        key, index = _task_key(task.id), _task_index(task)
        return self._tasks.swap(key, task, index, task.id)[0]

    @override
    def tasks_of(self, job_id: JobId, run: int) -> tuple[Task, ...]:
        """Return every task of one run of a job, by creation."""
        start = run_start(job_id, run)
        home = task_home(start)
        found = (
            self._tasks.of(item)
            for shard in range(SHARDS)
            for item in self._table.query(
                Look(
                    of=("pk", f"tasks {home} {shard}"),
                    where="begins_with(#s, :a)",
                    values=(start,),
                    consistent=True,
                )
            )
        )
        own = (task for task in found if (task.job_id, task.run) == (job_id, run))
        return tuple(sorted(own, key=lambda task: (task.created_at, task.id)))

    @override
    def unsettled_tasks(
        self, *, quiet_since: datetime | None = None, limit: int = 100
    ) -> tuple[Task, ...]:
        """Return tasks that are not settled, the longest unchanged first, to the minute."""
        entries = self._open_entries(quiet_since, limit)
        found: dict[TaskId, Task] = {}
        while len(found) < limit:
            room = limit - len(found)
            keys = [_key_in(item) for item in _taken(entries, room)]
            for task in map(self._tasks.of, self._table.read(keys)):
                quiet = quiet_since is None or task.changed_at <= quiet_since
                if quiet and not task.settled:
                    found[task.id] = task
            if len(keys) < room:
                break
        return tuple(sorted(found.values(), key=lambda task: (task.changed_at, task.id)))

    @override
    def add_node(self, node: Node) -> Node:
        """Remember a new node."""
        return self._nodes.add(node)

    @override
    def get_node(self, node_id: NodeId) -> Node:
        """Return the latest version of a node."""
        return self._nodes.get(node_id)

    @override
    def swap_node(self, node: Node) -> Node:
        """Replace the version that ``node`` was made from."""
        return self._nodes.swap(node)

    @override
    def nodes(self, *, gone: bool = False) -> tuple[Node, ...]:
        """Return the nodes by id; those that are gone only where ``gone`` asks for them."""
        return self._nodes.all(gone=gone)

    @override
    def forget_node(self, node_id: NodeId) -> None:
        """Remove the record of a node that is gone."""
        self._nodes.forget(node_id)

    @override
    def get_duty(self, name: str) -> Duty | None:
        """Return who has a duty, None when nobody ever had it."""
        return self._duties.get(name)

    @override
    def swap_duty(self, duty: Duty) -> Duty:
        """Replace the version that ``duty`` was made from; revision 0 means a first one."""
        return self._duties.swap(duty)

    def _expire_parts(self, job: Job, expires: int | None) -> None:
        """Set when all that belongs to a job goes, or that it does not."""
        if self._keeps:
            return
        self._jobs.expire_labels(job, expires)
        for run in range(1, job.run + 1):
            for task in self.tasks_of(job.id, run):
                self._table.expire(_task_key(task.id), expires)

    def _open_entries(self, quiet_since: datetime | None, limit: int) -> Iterator[Item]:
        """Give the index entries of tasks that may be quiet, the oldest minute first."""
        values = () if quiet_since is None else (_minute(quiet_since),)
        shards = (
            self._table.query(
                Look(
                    of=("open", str(shard)),
                    index=OPEN,
                    sort="minute",
                    where="#s <= :a" if values else "",
                    values=values,
                ),
                page=limit // SHARDS + 1,
            )
            for shard in range(SHARDS)
        )
        return heapq.merge(*shards, key=lambda item: int(item["minute"]))


def _taken(items: Iterator[Item], count: int) -> list[Item]:
    return [item for item, _ in zip(items, range(count), strict=False)]


def _task_index(task: Task) -> Index:
    if task.settled:
        return {"open": None, "minute": None}
    return {"open": str(shard_of(task.id)), "minute": _minute(task.changed_at)}


def _task_key(task_id: TaskId) -> Key:
    key = key_of(task_id)
    return Key(f"tasks {task_home(key)} {shard_of(task_id)}", key)


def _duty_key(name: str) -> Key:
    return Key(f"duty {key_of(name)}")


def _key_in(item: Item) -> Key:
    return Key(str(item["pk"]), str(item["sk"]))


def _minute(moment: datetime) -> int:
    """Return the minute that a time is in, since 1970."""
    return microseconds(moment) // _MINUTE
