"""Job, task and node records in one domain of SimpleDB.

**What lies where.** Each record is one item, its JSON in pieces (``domain``).
SimpleDB keeps an index of every attribute, and answers a query of one of them in its order
without looking at other items; a query of two looks at all that the one finds. So each
list has an attribute of its own whose values sort as the list does:

=================  =============  =====================================================
item               attribute      value
=================  =============  =====================================================
``job ID``         ``job``        when it was created, and its ID
\\                  ``state``      its state, then the same
\\                  its labels     the same: each tag and each preset is an attribute
``task ID``        ``run``        its job and run
\\                  ``open``       when it was changed, and its ID; ``-`` when settled
``node ID``        ``node``       ``living`` or ``gone``, and its ID
``duty NAME``      none
=================  =============  =====================================================

**What is read is the latest.** Every read asks for consistency, which costs no more.

**What it costs**: each call below is one request of SimpleDB's but for what is said. A
domain takes some dozens of writes a second, so this store is for small sites.

===========================================  =========================================
call                                         requests
===========================================  =========================================
``add_…``, ``swap_…``                        1 PutAttributes, of all values at once
``get_…``                                    1 GetAttributes
``list_jobs`` of n                           1 Select of n + 1 items; 1 for each state
``tasks_of``, ``unsettled_tasks``, ``nodes`` 1 Select of what is returned
``forget_job``                               1 Select a run, 1 BatchDelete for 25 tasks
===========================================  =========================================

A Select of more than a megabyte, or 2,500 items, takes as many requests as it has pages,
and a write that was refused one GetAttributes more.
"""

import heapq
import math
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby, islice

from botocore.exceptions import ClientError
from typing_extensions import override

from media_nommer.adapters.aws.clients import AwsClients, answering, code_of
from media_nommer.adapters.aws.items.duties import Duties
from media_nommer.adapters.aws.items.job_pages import Source, Wanted, page_of_jobs
from media_nommer.adapters.aws.items.packing import (
    AFTER_ALL_TIMES,
    checked,
    key_of,
    key_of_job,
    labels_of,
    run_key,
    run_start,
    time_key,
)
from media_nommer.adapters.aws.items.records import Index, Item, Records
from media_nommer.adapters.aws.simpledb.domain import MOST_AT_ONCE, Domain
from media_nommer.adapters.aws.simpledb.select import Range
from media_nommer.core.cursors import microseconds
from media_nommer.core.errors import (
    AlreadyExists,
    InvalidSetting,
    JobNotFound,
    NodeNotFound,
    TaskNotFound,
)
from media_nommer.core.jobs import Job, JobId
from media_nommer.core.nodes import Duty, Node, NodeId
from media_nommer.core.ports.store import EVERY_JOB, JobFilter, JobPage, JobStore
from media_nommer.core.tasks import Task, TaskId

#: Where there is a SimpleDB at all.
REGIONS = frozenset(
    {
        "ap-northeast-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "eu-west-1",
        "sa-east-1",
        "us-east-1",
        "us-west-1",
        "us-west-2",
    }
)

_SETTLED = "-"
_BEFORE_ALL_TIMES = "0"


def create_domain(clients: AwsClients, domain: str) -> None:
    """Make a domain if it is absent; where it is there, that takes the right to look only.

    Raises:
        InvalidSetting: the region has no SimpleDB.
        BadRequest: a domain cannot have this name.
    """
    if clients.region not in REGIONS:
        raise InvalidSetting(
            f"there is no SimpleDB in {clients.region or 'a region that is not named'}",
            advice=f"Use one of {', '.join(sorted(REGIONS))}; or a DynamoDB table.",
        )
    client = clients.client("sdb")
    with answering("sdb"):
        try:
            client.domain_metadata(DomainName=domain)
        except ClientError as error:
            if code_of(error) != "NoSuchDomain":
                raise
            client.create_domain(DomainName=domain)


class SimpleDbStore(JobStore):
    """Keeps records in a domain that ``create_domain`` has made."""

    def __init__(self, clients: AwsClients, domain: str) -> None:
        self._domain = Domain(clients, domain)
        self._jobs = Records(self._domain, Job, JobNotFound)
        self._tasks = Records(self._domain, Task, TaskNotFound)
        self._nodes = Records(self._domain, Node, NodeNotFound)
        self._duties = Duties(self._domain, _duty_key)

    @override
    def add_job(self, job: Job) -> Job:
        """Remember a new job."""
        place = key_of_job(job)
        labels = dict.fromkeys(labels_of(job.tags, job.presets), place)
        added = self._jobs.add(_job_key(job.id), job, {**labels, **_job_index(job)})
        if added is None:
            raise AlreadyExists(f"there is a job {job.id} already")
        return added

    @override
    def get_job(self, job_id: JobId) -> Job:
        """Return the latest version of a job."""
        return self._jobs.get(_job_key(job_id), job_id)

    @override
    def swap_job(self, job: Job) -> Job:
        """Replace the version that ``job`` was made from."""
        return self._jobs.swap(_job_key(job.id), job, _job_index(job), job.id)[0]

    @override
    def list_jobs(
        self,
        wanted: JobFilter = EVERY_JOB,
        *,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        """Return a page of the jobs that ``wanted`` admits, newest created first."""
        there: dict[str, Job] = {}

        def read(places: Wanted) -> list[str]:
            found = islice(self._newest(places), places.count)
            jobs = {key_of_job(job): job for job in map(self._jobs.of, found)}
            there.update(jobs)
            return list(jobs)

        def jobs_at(places: list[str]) -> Iterator[Job]:
            return (there[place] for place in places)

        return page_of_jobs(wanted, limit, cursor, read, jobs_at)

    @override
    def forget_job(self, job_id: JobId, runs: int) -> None:
        """Remove a job, and before it the tasks of its runs."""
        for run in range(1, runs + 1):
            self._domain.delete(_task_key(task.id) for task in self.tasks_of(job_id, run))
        self._domain.delete([_job_key(job_id)])

    @override
    def add_task(self, task: Task) -> bool:
        """Remember a new task if none has its id; return whether it was new."""
        index = {**_task_index(task), "run": run_key(task)}
        return self._tasks.add(_task_key(task.id), task, index) is not None

    @override
    def get_task(self, task_id: TaskId) -> Task:
        """Return the latest version of a task."""
        return self._tasks.get(_task_key(task_id), task_id)

    @override
    def swap_task(self, task: Task) -> Task:
        """Replace the version that ``task`` was made from."""
        return self._tasks.swap(_task_key(task.id), task, _task_index(task), task.id)[0]

    @override
    def tasks_of(self, job_id: JobId, run: int) -> tuple[Task, ...]:
        """Return every task of one run of a job, by creation."""
        found = map(self._tasks.of, self._domain.equal("run", run_start(job_id, run)))
        return tuple(sorted(found, key=lambda task: (task.created_at, task.id)))

    @override
    def unsettled_tasks(
        self, *, quiet_since: datetime | None = None, limit: int = 100
    ) -> tuple[Task, ...]:
        """Return tasks that are not settled, the longest unchanged first."""
        end = AFTER_ALL_TIMES
        if quiet_since is not None:
            end = time_key(microseconds(quiet_since) + 1)
        quiet = Range(attribute="open", after=_BEFORE_ALL_TIMES, before=end)
        found = self._domain.between(quiet, page=limit)
        return tuple(map(self._tasks.of, islice(found, limit)))

    @override
    def add_node(self, node: Node) -> Node:
        """Remember a new node."""
        added = self._nodes.add(_node_key(node.id), node, _node_index(node))
        if added is None:
            raise AlreadyExists(f"there is a node {node.id} already")
        return added

    @override
    def get_node(self, node_id: NodeId) -> Node:
        """Return the latest version of a node."""
        return self._nodes.get(_node_key(node_id), node_id)

    @override
    def swap_node(self, node: Node) -> Node:
        """Replace the version that ``node`` was made from."""
        return self._nodes.swap(_node_key(node.id), node, _node_index(node), node.id)[0]

    @override
    def nodes(self, *, gone: bool = False) -> tuple[Node, ...]:
        """Return the nodes by id; those that are gone only where ``gone`` asks for them."""
        wanted = Range(attribute="node", after="" if gone else "living ", before="living!")
        found = map(self._nodes.of, self._domain.between(wanted))
        return tuple(sorted(found, key=lambda node: node.id))

    @override
    def forget_node(self, node_id: NodeId) -> None:
        """Remove the record of a node that is gone."""
        self._domain.delete([_node_key(node_id)])

    @override
    def get_duty(self, name: str) -> Duty | None:
        """Return who has a duty, None when nobody ever had it."""
        return self._duties.get(name)

    @override
    def swap_duty(self, duty: Duty) -> Duty:
        """Replace the version that ``duty`` was made from; revision 0 means a first one."""
        return self._duties.swap(duty)

    def _newest(self, wanted: Wanted) -> Iterator[Item]:
        """Give the jobs that stand at the places that are wanted, newest first.

        One that changes its state meanwhile may be found twice; it is given once.
        """
        page = min(math.ceil(wanted.count / len(wanted.sources)), MOST_AT_ONCE)
        ranges = (_range(source, wanted) for source in wanted.sources)
        sorted_ones = (self._domain.between(each, page=page) for each in ranges)
        merged = heapq.merge(*sorted_ones, key=_place, reverse=True)
        return (next(same) for _, same in groupby(merged, key=_place))


def _place(item: Item) -> str:
    return str(item["job"])


def _range(source: Source, wanted: Wanted) -> Range:
    """Return where the places of a source are: in a range of which attribute."""
    attribute, start = source.label or "job", ""
    if source.state is not None:
        attribute, start = "state", f"{source.state} "
    return Range(
        attribute=attribute,
        after=start + wanted.first,
        before=start + wanted.last,
        newest_first=True,
    )


def _job_index(job: Job) -> Index:
    place = key_of_job(job)
    return {"job": place, "state": f"{job.state} {place}"}


def _task_index(task: Task) -> Index:
    changed = time_key(microseconds(task.changed_at)) + key_of(task.id)
    return {"open": _SETTLED if task.settled else changed}


def _node_index(node: Node) -> Index:
    key = checked(key_of(node.id), "node")
    return {"node": f"{'gone' if node.gone else 'living'} {key}"}


def _job_key(job_id: JobId) -> str:
    return f"job {key_of(job_id)}"


def _task_key(task_id: TaskId) -> str:
    return f"task {key_of(task_id)}"


def _node_key(node_id: NodeId) -> str:
    return f"node {key_of(node_id)}"


def _duty_key(name: str) -> str:
    return f"duty {key_of(name)}"
