"""The report on a job, as a document of its own version."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from media_nommer.core.jobs import Job
from media_nommer.core.shares import spent_on
from media_nommer.core.tasks import Attempt, Task
from media_nommer.feederd.views import (
    AttemptView,
    FailureView,
    OutputView,
    View,
    dollars_shown,
    seconds_shown,
)
from media_nommer.planning.reports import (
    VERSION,
    Gate,
    bit_rate_of,
    codecs_of,
    found_in,
    gates_of,
    kind_of,
    size_of,
)


class SourceReport(View):
    """The source; ``found`` is what the inspection found, null where it came to none."""

    url: str
    found: Mapping[str, Any] | None


class GateReport(View):
    """One thing that an output had to come to; ``found`` is null where nothing told."""

    name: str
    wanted: float
    found: float | None
    met: bool

    @classmethod
    def of(cls, gate: Gate) -> "GateReport":
        """Return the view of a gate."""
        return cls(name=gate.name, wanted=gate.wanted, found=gate.found, met=gate.met)


class OutputReport(OutputView):
    """One output. ``size`` is bytes over all files, ``bit_rate`` bit/s over all.

    ``codecs`` are as RFC 6381 has them.
    """

    kind: str
    preset: str | None
    size: int | None
    duration: float | None
    bit_rate: int | None
    codecs: str | None
    measured: Mapping[str, float] | None
    gates: tuple[GateReport, ...]


class JobReport(View):
    """All that is known of a job, in one document.

    ``seconds`` are from its last run's beginning to its end; ``machine_seconds`` and
    ``cost`` (US dollars) are of all runs.
    """

    version: int = VERSION
    job: str
    state: str
    run: int
    source: SourceReport
    recipe: Mapping[str, Any]
    outputs: tuple[OutputReport, ...]
    failure: FailureView | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    machine_seconds: float
    cost: float | None
    attempts: tuple[AttemptView, ...]

    @classmethod
    def of(
        cls,
        job: Job,
        tasks: Sequence[Task],
        attempts: Sequence[tuple[Task, Attempt, str | None]],
    ) -> "JobReport":
        """Return the report on a job with the tasks of all its runs.

        ``attempts`` have their logs with them, of which the commands are told.
        """
        spent = spent_on(share for task in tasks for share in task.shares)
        return cls(
            job=job.id,
            state=job.state,
            run=job.run,
            source=SourceReport(url=job.source, found=found_in(tasks)),
            recipe=job.recipe,
            outputs=tuple(_output(job, index) for index in range(len(job.outputs))),
            failure=FailureView.of(job.failure),
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            seconds=_lasted(job),
            machine_seconds=seconds_shown(spent.seconds),
            cost=dollars_shown(spent.cost),
            attempts=tuple(
                AttemptView.of(task, attempt, text).model_copy(update={"log": None})
                for task, attempt, text in attempts
            ),
        )


def _lasted(job: Job) -> float | None:
    return None if job.seconds is None else seconds_shown(job.seconds)


def _output(job: Job, index: int) -> OutputReport:
    output = job.outputs[index]
    recipe: Any = job.recipe.get("outputs") or ()
    measured, duration = output.facts.get("measured"), output.facts.get("duration")
    return OutputReport(
        **dict(OutputView.of(output)),
        kind=kind_of(job, index),
        preset=recipe[index].get("from_preset") if index < len(recipe) else None,
        size=size_of(output),
        duration=duration if isinstance(duration, int | float) else None,
        bit_rate=bit_rate_of(output),
        codecs=codecs_of(output),
        measured=measured if isinstance(measured, Mapping) else None,
        gates=tuple(map(GateReport.of, gates_of(job, index))),
    )
