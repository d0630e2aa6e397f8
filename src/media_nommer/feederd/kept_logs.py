"""Logs that are kept: of each attempt at a job, and of nodes on EC2."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from media_nommer.core.errors import NodeNotFound, SourceNotFound, StorageError
from media_nommer.core.nodes import NodeId
from media_nommer.core.tasks import Attempt, Task
from media_nommer.core.workflow.engine import Engine

#: What may stand in the path of a node's log.
_NODE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class AttemptLog:
    """An attempt at a task and its whole log, None where none is kept (any more)."""

    task: Task
    attempt: Attempt
    text: str | None


def attempt_logs(engine: Engine, tasks: Iterable[Task]) -> tuple[AttemptLog, ...]:
    """Return every attempt at some tasks, the oldest first."""
    found = [
        AttemptLog(task, attempt, _text_of(engine, attempt))
        for task in tasks
        for attempt in task.attempts
    ]
    return tuple(sorted(found, key=lambda each: each.attempt.started_at))


def node_log(engine: Engine, node_id: str) -> str:
    """Return the log that a node on EC2 keeps, also when its machine is gone.

    Raises:
        NodeNotFound: there is no log of a node with this id.
    """
    missing = NodeNotFound(
        f"no log of a node {node_id} is kept",
        advice="Nodes on EC2 keep theirs, within a minute and when they end; those of "
        "this machine write to `logs` in the data directory.",
    )
    if not _NODE_ID.fullmatch(node_id):
        raise missing
    url = engine.node_log_url(NodeId(node_id))
    try:
        return engine.storage.read(url).decode("utf-8", "replace")
    except SourceNotFound as error:
        raise missing from error


def _text_of(engine: Engine, attempt: Attempt) -> str | None:
    if attempt.log_url is None:
        return None
    try:
        return engine.storage.read(attempt.log_url).decode("utf-8", "replace")
    except StorageError:
        return None
