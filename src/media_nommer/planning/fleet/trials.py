"""Telling a bad machine from a bad film: what the ends of attempts say of their node."""

from collections.abc import Sequence
from dataclasses import dataclass

from media_nommer.core.errors import Failure
from media_nommer.core.jobs import JobId
from media_nommer.core.nodes import NodeId
from media_nommer.core.tasks import Attempt, AttemptEnd, Task

#: Failures that may be the machine's fault: its memory, disk, processor, or what we
#: installed on it.
AGAINST_MACHINE = frozenset(
    {"ENCODER_CRASHED", "ENCODER_STALLED", "INTERNAL", "NO_SPACE", "OUTPUT_DAMAGED"}
)

#: So many trials are looked at, the newest ones.
TRIALS_KEPT = 3
_OF_JOBS = 2


@dataclass(frozen=True, slots=True)
class Trial:
    """An attempt that says something of its node; ``code`` is empty for a success."""

    job: JobId
    code: str = ""


def trial_of(task: Task, number: int) -> Trial | None:
    """Return what the attempt of a task's ``number``-th claim says of its node, if any.

    A failure that the task has had on another node too is the task's own.
    """
    ended = next((each for each in task.attempts if each.number == number), None)
    if ended is None:
        return None
    failure = _failure_of(task, ended)
    if failure is None:
        done = ended.end is AttemptEnd.COMMITTED
        return Trial(task.job_id) if done else None
    if not failure.retryable or failure.code not in AGAINST_MACHINE:
        return None
    if any(_had(each, failure.code, ended.node) for each in task.attempts):
        return None
    return Trial(task.job_id, failure.code)


def spoils_work(trials: Sequence[Trial]) -> bool:
    """Return whether a node fails task after task, going by its trials, the newest last.

    That is three failures in a row, of two jobs at least.
    """
    row = trials[-TRIALS_KEPT:]
    failed = len(row) == TRIALS_KEPT and all(trial.code for trial in row)
    return failed and len({trial.job for trial in row}) >= _OF_JOBS


def _failure_of(task: Task, attempt: Attempt) -> Failure | None:
    """Return why an attempt made nothing, also where that is its result (a last try)."""
    result = task.result
    if attempt.failure is not None or result is None:
        return attempt.failure
    if result.files or result.plan:
        return None
    return next(iter(result.failures.values()), None)


def _had(attempt: Attempt, code: str, node: NodeId) -> bool:
    """Return whether an attempt had the same failure, on another node."""
    failure = attempt.failure
    return failure is not None and failure.code == code and attempt.node != node
