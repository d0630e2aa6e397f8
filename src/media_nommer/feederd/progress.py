"""How far a job is, made from its tasks: never back within a run, 1 only at the end."""

from collections.abc import Sequence

from media_nommer.core.jobs import Job, JobState, Phase
from media_nommer.core.tasks import PlannedTask, Task, TaskKind

#: As far as a job gets before every output is in place.
ALMOST = 0.99


def progress_of(job: Job, tasks: Sequence[Task]) -> float:
    """Return the progress (0 to 1) of a job; of ``tasks`` those of its present run tell.

    Each task of the plan counts by its weight, also one that is not there yet. Looking at
    the source counts for nothing: what it finds may be a long plan.
    """
    if job.state is JobState.FINISHED:
        return 1.0
    if job.state is JobState.PENDING:
        return min(job.progress, ALMOST)
    tasks = [task for task in tasks if task.run == job.run]
    plan = _plan(tasks)
    if plan:
        done = {task.key: task.progress for task in tasks}
        total = sum(planned.weight for planned in plan)
        reached = sum(planned.weight * done.get(planned.key, 0.0) for planned in plan)
        made = reached / total if total else 0.0
    elif job.phase is Phase.INSPECTING:
        made = 0.0
    else:
        made = max((task.progress for task in tasks), default=0.0)
    return min(max(made, job.progress), ALMOST)


def _plan(tasks: Sequence[Task]) -> tuple[PlannedTask, ...]:
    first = next((task for task in tasks if task.kind is TaskKind.INSPECT), None)
    return first.result.plan if first and first.result else ()
