"""Job, task and node records in an SQL database."""

import json
from datetime import datetime

import sqlalchemy as sa
from typing_extensions import override

from media_nommer.adapters.sql import schema
from media_nommer.adapters.sql.engine import writing
from media_nommer.adapters.sql.records import Records, insert_absent
from media_nommer.core.cursors import (
    JobPlace,
    dump_cursor,
    load_cursor,
    microseconds,
    place_of,
)
from media_nommer.core.errors import (
    AlreadyExists,
    JobNotFound,
    NodeNotFound,
    NotFound,
    Overtaken,
    TaskNotFound,
)
from media_nommer.core.jobs import Job, JobId
from media_nommer.core.nodes import Duty, Node, NodeId
from media_nommer.core.ports.store import EVERY_JOB, JobFilter, JobPage, JobStore
from media_nommer.core.tasks import Task, TaskId

_jobs, _tasks, _nodes = schema.jobs.c, schema.tasks.c, schema.nodes.c

_TASKS_OF = (
    sa.select(_tasks.document)
    .where(_tasks.job_id == sa.bindparam("job"), _tasks.run == sa.bindparam("of_run"))
    .order_by(_tasks.created, _tasks.id)
)
_UNSETTLED = (
    sa.select(_tasks.document)
    .where(_tasks.settled == sa.false(), _tasks.changed <= sa.bindparam("until"))
    .order_by(_tasks.changed, _tasks.id)
    .limit(sa.bindparam("most"))
)
_ALL_NODES = sa.select(_nodes.document).order_by(_nodes.id)
_LIVING_NODES = _ALL_NODES.where(_nodes.gone == sa.false())

_FORGET_JOB = (
    sa.delete(schema.tasks).where(_tasks.job_id == sa.bindparam("job")),
    sa.delete(schema.jobs).where(_jobs.id == sa.bindparam("job")),
    sa.delete(schema.labels).where(schema.labels.c.job_id == sa.bindparam("job")),
)

#: So many jobs are sorted and looked through in a few milliseconds.
_FEW = 1000

#: Later than every time that a record can hold.
_NEVER = 2**63 - 1


class SqlStore(JobStore):
    """Keeps records in the database that ``open_engine`` has opened."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._add_label = insert_absent(engine, schema.labels)
        self._jobs = Records(engine, schema.jobs, Job, JobNotFound)
        self._tasks = Records(engine, schema.tasks, Task, TaskNotFound)
        self._nodes = Records(engine, schema.nodes, Node, NodeNotFound)
        self._duties = Records(engine, schema.duties, Duty, NotFound)

    @override
    def add_job(self, job: Job) -> Job:
        """Remember a new job."""
        if labels := _labels_of(job):
            with writing(self._engine) as db:
                db.execute(self._add_label, labels)
        added = self._jobs.add(job.id, job, _job_columns(job))
        if added is None:
            raise AlreadyExists(f"there is a job {job.id} already")
        return added

    @override
    def get_job(self, job_id: JobId) -> Job:
        """Return the latest version of a job."""
        return self._jobs.get(job_id)

    @override
    def swap_job(self, job: Job) -> Job:
        """Replace the version that ``job`` was made from."""
        return self._jobs.swap(job.id, job, _job_columns(job))

    @override
    def list_jobs(
        self,
        wanted: JobFilter = EVERY_JOB,
        *,
        limit: int = 50,
        cursor: str | None = None,
    ) -> JobPage:
        """Return a page of the jobs that ``wanted`` admits, newest created first."""
        after = None if cursor is None else load_cursor(cursor)
        few = self._few_among(wanted)
        statement = (
            _newest(wanted, after) if few is None else _newest_of(few, wanted, after)
        )
        found = self._jobs.all(statement.limit(limit + 1))
        page = found[:limit]
        more = len(found) > limit and page
        return JobPage(page, dump_cursor(place_of(page[-1])) if more else None)

    def _few_among(self, wanted: JobFilter) -> sa.Select[int, str] | None:
        """Return a condition that few jobs meet, where several are to be met together.

        A walk through the many of one condition for the few of another takes seconds, and
        SQLite cannot tell which is which without looking.
        """
        conditions = _conditions(wanted)
        if len(conditions) < 2:
            return None
        with self._engine.connect() as db:
            counts = [db.execute(_counted(places)).scalar_one() for places in conditions]
        least = min(counts)
        return None if least > _FEW else conditions[counts.index(least)]

    @override
    def forget_job(self, job_id: JobId, runs: int) -> None:
        """Remove a job, and before it the tasks of all its runs."""
        with writing(self._engine) as db:
            for statement in _FORGET_JOB:
                db.execute(statement, {"job": job_id})

    @override
    def add_task(self, task: Task) -> bool:
        """Remember a new task if none has its id; return whether it was new."""
        return self._tasks.add(task.id, task, _task_columns(task)) is not None

    @override
    def get_task(self, task_id: TaskId) -> Task:
        """Return the latest version of a task."""
        return self._tasks.get(task_id)

    @override
    def swap_task(self, task: Task) -> Task:
        """Replace the version that ``task`` was made from."""
        return self._tasks.swap(task.id, task, _task_columns(task))

    @override
    def tasks_of(self, job_id: JobId, run: int) -> tuple[Task, ...]:
        """Return every task of one run of a job, by creation."""
        return self._tasks.all(_TASKS_OF, {"job": job_id, "of_run": run})

    @override
    def unsettled_tasks(
        self, *, quiet_since: datetime | None = None, limit: int = 100
    ) -> tuple[Task, ...]:
        """Return tasks that are not settled, the longest unchanged first."""
        until = _NEVER if quiet_since is None else microseconds(quiet_since)
        return self._tasks.all(_UNSETTLED, {"until": until, "most": limit})

    @override
    def add_node(self, node: Node) -> Node:
        """Remember a new node."""
        added = self._nodes.add(node.id, node, {"gone": node.gone})
        if added is None:
            raise AlreadyExists(f"there is a node {node.id} already")
        return added

    @override
    def get_node(self, node_id: NodeId) -> Node:
        """Return the latest version of a node."""
        return self._nodes.get(node_id)

    @override
    def swap_node(self, node: Node) -> Node:
        """Replace the version that ``node`` was made from."""
        return self._nodes.swap(node.id, node, {"gone": node.gone})

    @override
    def nodes(self, *, gone: bool = False) -> tuple[Node, ...]:
        """Return the nodes by id; those that are gone only where ``gone`` asks for them."""
        return self._nodes.all(_ALL_NODES if gone else _LIVING_NODES)

    @override
    def forget_node(self, node_id: NodeId) -> None:
        """Remove the record of a node that is gone."""
        self._nodes.forget(node_id)

    @override
    def get_duty(self, name: str) -> Duty | None:
        """Return who has a duty, None when nobody ever had it."""
        return self._duties.find(name)

    @override
    def swap_duty(self, duty: Duty) -> Duty:
        """Replace the version that ``duty`` was made from; revision 0 means a first one."""
        if duty.revision == 0:
            taken = self._duties.add(duty.name, duty, {})
            if taken is None:
                raise Overtaken(f"somebody else took the duty {duty.name} meanwhile")
            return taken
        try:
            return self._duties.swap(duty.name, duty, {})
        except NotFound as error:
            raise Overtaken(f"nobody ever had the duty {duty.name}") from error


def _newest(wanted: JobFilter, after: JobPlace | None) -> sa.Select[tuple[str]]:
    """Return what selects the wanted jobs below a place, by the narrowest index."""
    statement = sa.select(_jobs.document)
    created, job_id = _jobs.created, _jobs.id
    few = bool(wanted.states) and not any(state.final for state in wanted.states)
    for number, label in enumerate(_labels_wanted(wanted)):
        line = schema.labels.alias()
        same = (line.c.job_id == job_id) & (line.c.label == label)
        if number == 0 and not few:
            statement = statement.join(line, same)
            created, job_id = line.c.created, line.c.job_id
        else:  # with its time, a line is found by its key
            statement = statement.join(line, same & (line.c.created == created))
    return _within(statement, wanted, after, created, job_id)


def _newest_of(
    few: sa.Select[int, str], wanted: JobFilter, after: JobPlace | None
) -> sa.Select[tuple[str]]:
    """Return what selects the wanted jobs below a place out of the places of a few."""
    places = few.cte("few").prefix_with("MATERIALIZED")
    created, job_id = places.c.created, places.c.id
    statement = sa.select(_jobs.document).join(places, _jobs.id == job_id)
    for label in _labels_wanted(wanted):
        line = schema.labels.alias().c
        same = (line.label == label) & (line.created == created) & (line.job_id == job_id)
        statement = statement.where(sa.exists().where(same))
    return _within(statement, wanted, after, created, job_id)


def _conditions(wanted: JobFilter) -> list[sa.Select[int, str]]:
    """Return, for each tag, preset or states that are wanted, the places of its jobs."""
    line = schema.labels.c
    conditions = [
        sa.select(line.created, line.job_id.label("id")).where(line.label == label)
        for label in _labels_wanted(wanted)
    ]
    if wanted.states:
        states = [str(state) for state in wanted.states]
        places = sa.select(_jobs.created, _jobs.id).where(_jobs.state.in_(states))
        conditions.append(places)
    return conditions


def _counted(places: sa.Select[int, str]) -> sa.Select[int]:
    """Return what counts places, as far as it matters."""
    return sa.select(sa.func.count()).select_from(places.limit(_FEW + 1).subquery())


def _within(
    statement: sa.Select[tuple[str]],
    wanted: JobFilter,
    after: JobPlace | None,
    created: sa.ColumnElement[int],
    job_id: sa.ColumnElement[str],
) -> sa.Select[tuple[str]]:
    """Return ``statement`` for the wanted states and times alone, newest first."""
    if wanted.states:
        statement = statement.where(_jobs.state.in_([str(s) for s in wanted.states]))
    if wanted.since is not None:
        statement = statement.where(created >= microseconds(wanted.since))
    if wanted.until is not None:
        statement = statement.where(created < microseconds(wanted.until))
    if after is not None:
        place = sa.tuple_(created, job_id)
        statement = statement.where(place < sa.tuple_(*map(sa.literal, after)))
    return statement.order_by(created.desc(), job_id.desc())


def _labels_wanted(wanted: JobFilter) -> list[str]:
    """Return the labels that a job must have, first what most likely fewer jobs have."""
    tag = [] if wanted.tag is None else [_tag_label(*wanted.tag)]
    return tag + ([] if wanted.preset is None else [_preset_label(wanted.preset)])


def _labels_of(job: Job) -> list[dict[str, object]]:
    """Return the lines by which a job is found, in the columns of their table."""
    labels = {_preset_label(preset) for preset in job.presets}
    labels |= {_tag_label(name, value) for name, value in job.tags.items()}
    created = microseconds(job.created_at)
    return [
        {"label": label, "created": created, "job_id": job.id} for label in sorted(labels)
    ]


def _preset_label(name: str) -> str:
    return f"preset:{name}"


def _tag_label(name: str, value: str) -> str:
    return f"tag:{json.dumps([name, value])}"


def _job_columns(job: Job) -> dict[str, object]:
    return {"state": str(job.state), "created": microseconds(job.created_at)}


def _task_columns(task: Task) -> dict[str, object]:
    return {
        "job_id": task.job_id,
        "run": task.run,
        "settled": task.settled,
        "created": microseconds(task.created_at),
        "changed": microseconds(task.changed_at),
    }
