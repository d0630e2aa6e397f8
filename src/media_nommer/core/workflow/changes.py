"""Changing a record that others change too: read, decide, swap, and anew when overtaken."""

from collections.abc import Callable
from typing import TypeVar

from media_nommer.core.errors import Overtaken
from media_nommer.core.jobs import Job, JobId
from media_nommer.core.nodes import Node, NodeId
from media_nommer.core.ports.store import JobStore
from media_nommer.core.tasks import Task, TaskId

Id = TypeVar("Id")
Record = TypeVar("Record")


def change_job(store: JobStore, job_id: JobId, change: Callable[[Job], Job | None]) -> Job:
    """Swap in what ``change`` makes of the latest version; return the job as it is then.

    ``change`` may be asked several times; it answers None to leave the job as it is.

    Raises:
        JobNotFound: no job has this id.
    """
    return _change(store.get_job, store.swap_job, job_id, change)


def change_task(
    store: JobStore, task_id: TaskId, change: Callable[[Task], Task | None]
) -> Task:
    """Do for a task what ``change_job`` does for a job.

    Raises:
        TaskNotFound: no task has this id.
    """
    return _change(store.get_task, store.swap_task, task_id, change)


def change_node(
    store: JobStore, node_id: NodeId, change: Callable[[Node], Node | None]
) -> Node:
    """Do for a node what ``change_job`` does for a job.

    Raises:
        NodeNotFound: no node has this id.
    """
    return _change(store.get_node, store.swap_node, node_id, change)


def _change(
    get: Callable[[Id], Record],
    swap: Callable[[Record], Record],
    record_id: Id,
    change: Callable[[Record], Record | None],
) -> Record:
    while True:
        record = get(record_id)
        changed = change(record)
        if changed is None:
            return record
        try:
            return swap(changed)
        except Overtaken:
            continue
