"""Running jobs to their end on this machine, in this process, while a person watches."""

import io
import json
import os
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Lock
from types import FrameType
from typing import TYPE_CHECKING

import typer

from media_nommer.cli.display import Display, Standing, combined_fraction, display_for
from media_nommer.cli.documents import Document
from media_nommer.cli.inputs import Source
from media_nommer.cli.reporting import EXIT_FAILED, show_failure
from media_nommer.cli.results import (
    Ended,
    check_writable,
    job_document,
    show_outputs,
    show_warnings,
    write_text,
)
from media_nommer.conf.settings import Settings
from media_nommer.core.errors import Failure
from media_nommer.core.jobs import Job, JobState

if TYPE_CHECKING:
    from media_nommer.ec2nommerd.nommers.work import Step

#: What to do about it, where options do what recipes and settings do elsewhere.
_ADVICE_HERE = {
    "OUTPUT_EXISTS": "Give another folder with -o or another --name, "
    "or say `--if-exists replace`."
}
_GOODBYES = (signal.SIGTERM, signal.SIGHUP)


class Watcher:
    """Hears of every step of the jobs that run here, and passes it on to a display."""

    def __init__(self, labels: dict[str, str], display: Display) -> None:
        self._labels = labels
        self._display = display
        self._lock = Lock()
        self._tasks: dict[str, dict[str, tuple[float, float]]] = {}
        self._most: dict[str, float] = {}

    def step(self, step: "Step") -> None:
        """Show how far a job is; it never goes back."""
        job = str(step.job.id)
        with self._lock:
            tasks = self._tasks.setdefault(job, {})
            tasks[step.task.key] = (step.task.weight, step.fraction)
            fraction = max(self._most.get(job, 0.0), combined_fraction(tasks))
            self._most[job] = fraction
            standing = Standing(
                label=self._labels[job],
                phase=str(step.phase),
                fraction=fraction,
                speed=step.speed,
            )
            self._display.show(job, standing)

    def ended(self, job: Job) -> None:
        """Show that a job has ended."""
        with self._lock:
            label = self._labels[job.id]
            self._display.ended(job.id, label, str(job.state), job.seconds)


def run_locally(
    jobs: Sequence[tuple[Source, Document]],
    settings: Settings,
    out_folder: Path | None,
    *,
    report: Path | None = None,
    as_json: bool,
) -> int:
    """Run jobs to their end, tell of them, and return the exit status.

    Reports on them go into the file ``report``.

    A KeyboardInterrupt passes through once nothing of the unfinished jobs is left.
    """
    from media_nommer.embedded import embedded

    if report:
        check_writable(report)
    with _polite_ends(), quiet_logs(settings), embedded(settings, out_folder) as here:
        labels: dict[str, str] = {}
        for source, document in jobs:
            labels[here.submit(document).id] = source.label
        with display_for(len(jobs), quiet=as_json) as display:
            watcher = Watcher(labels, display)
            done = here.run(on_step=watcher.step, on_end=watcher.ended)
        reports = [here.report(job).model_dump_json() for job in done] if report else []
    if report:
        write_text(report, "".join(f"{each}\n" for each in reports))
    ended = [
        Ended(job=job, label=labels[job.id], seconds=job.seconds or 0.0) for job in done
    ]
    return _tell(ended, as_json)


def _tell(ended: Sequence[Ended], as_json: bool) -> int:
    if as_json:
        for one in ended:
            typer.echo(json.dumps(job_document(one)))
    else:
        show_outputs(ended)
        for one in ended:
            show_warnings(one)
            _tell_of_failures(one)
    return 0 if all(one.job.state is JobState.FINISHED for one in ended) else EXIT_FAILED


def _tell_of_failures(one: Ended) -> None:
    """Print each thing that went wrong in a job once, however many outputs it cost."""
    failures = [output.failure for output in one.job.outputs if output.failure]
    if one.job.failure:
        failures.insert(0, one.job.failure)
    for failure in dict.fromkeys(failures):
        advice = _ADVICE_HERE.get(failure.code, failure.advice)
        show_failure(replace(failure, advice=advice), about=one.label)
    if one.job.state is not JobState.FINISHED and not failures:
        show_failure(_without_reason(one.job), about=one.label)


def _without_reason(job: Job) -> Failure:
    return Failure(code=str(job.state).upper(), message=f"the job was {job.state}")


@contextmanager
def quiet_logs(settings: Settings) -> Iterator[None]:
    """Keep logs out of the way of people; where there were errors, say where they are.

    NOMMER_DEBUG=1 sends all of them to standard error instead.
    """
    from media_nommer.conf.logs import set_up_logs

    if os.environ.get("NOMMER_DEBUG"):
        set_up_logs("debug", settings.log_format)
        yield
        return
    heard = io.StringIO()
    set_up_logs("error", "console", stream=heard)
    try:
        yield
    finally:
        if heard.getvalue():
            with tempfile.NamedTemporaryFile(
                "w", prefix="nommer-", suffix=".log", delete=False
            ) as details:
                details.write(heard.getvalue())
            typer.echo(f"The details of what went wrong are in {details.name}", err=True)


@contextmanager
def _polite_ends() -> Iterator[None]:
    """Let SIGTERM and SIGHUP clean up as Ctrl-C does."""

    def leave(number: int, _frame: FrameType | None) -> None:
        for goodbye in _GOODBYES:
            signal.signal(goodbye, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = [signal.signal(goodbye, leave) for goodbye in _GOODBYES]
    try:
        yield
    finally:
        for goodbye, handler in zip(_GOODBYES, before, strict=True):
            signal.signal(goodbye, handler)
