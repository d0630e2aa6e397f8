"""Changing a record that others change too: read, decide, swap, and anew when overtaken."""

from collections.abc import Callable

from media_nommer.core.errors import Overtaken
from media_nommer.core.jobs import Job, JobId
from media_nommer.core.nodes import Node, NodeId
from media_nommer.core.ports.store import JobStore
from media_nommer.core.tasks import Task, TaskId


def change_job(store: JobStore, job_id: JobId, change: Callable[[Job], Job | None]) -> Job:
    """Swap in what ``change`` makes of the latest version; return the job as it is then.

    ``change`` may be asked several times; it answers None to leave the job as it is.

    Raises:
        JobNotFound: no job has this id.
    """
    while True:
        job = store.get_job(job_id)
        changed = change(job)
        if changed is None:
            return job
        try:
            return store.swap_job(changed)
        except Overtaken:
            continue


def change_task(
    store: JobStore, task_id: TaskId, change: Callable[[Task], Task | None]
) -> Task:
    """Do for a task what ``change_job`` does for a job.

    Raises:
        TaskNotFound: no task has this id.
    """
    while True:
        task = store.get_task(task_id)
        changed = change(task)
        if changed is None:
            return task
        try:
            return store.swap_task(changed)
        except Overtaken:
            continue


def change_node(
    store: JobStore, node_id: NodeId, change: Callable[[Node], Node | None]
) -> Node:
    """Do for a node what ``change_job`` does for a job.

    Raises:
        NodeNotFound: no node has this id.
    """
    while True:
        node = store.get_node(node_id)
        changed = change(node)
        if changed is None:
            return node
        try:
            return store.swap_node(changed)
        except Overtaken:
            continue
