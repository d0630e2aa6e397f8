"""Showing how far jobs are: bars for terminals, plain lines for logs, nothing for JSON."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import typer
from typing_extensions import override

from media_nommer.cli.words import clock_text, percent_text, speed_text, took_text

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


_NO_FIELDS: dict[str, Any] = {"phase": "", "percent": "", "speed": "", "left": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far one job is: ``fraction`` from 0 to 1, ``speed`` in times real time."""

    label: str
    phase: str
    fraction: float
    speed: float | None = None


class Display(ABC):
    """Shows how far jobs are. Methods may be called from any thread."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def show(self, job: str, standing: Standing) -> None:
        """Show how far the job with this id is."""

    @abstractmethod
    def ended(self, job: str, label: str, said: str, seconds: float | None = None) -> None:
        """Show that a job has ended, in a word how, and after how long.

        Where that is not known, it is the time since it was first shown.
        """

    def close(self) -> None:
        """Leave the terminal as it was."""
        return


class NoDisplay(Display):
    """Shows nothing."""

    @override
    def show(self, job: str, standing: Standing) -> None:
        return

    @override
    def ended(self, job: str, label: str, said: str, seconds: float | None = None) -> None:
        return


@dataclass(slots=True)
class Pace:
    """Says how long the rest will take, from how long the last part took.

    ``clock`` gives seconds. The first ``settling`` seconds say nothing.
    """

    clock: Callable[[], float] = monotonic
    settling: float = 1.0
    _since: float | None = None
    _from: float = 0.0

    def left(self, fraction: float) -> float | None:
        """Return the seconds left when ``fraction`` (0 to 1) is done; None if unknown."""
        now = self.clock()
        if self._since is None:
            self._since, self._from = now, fraction
        gone, done = now - self._since, fraction - self._from
        if done <= 0 or gone < self.settling:
            return None
        return gone / done * (1.0 - fraction)


class Lines(Display):
    """Prints a line on standard error at each phase and at each tenth of it."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._said: dict[str, tuple[str, int]] = {}
        self._paces: dict[str, Pace] = {}
        self._begun: dict[str, float] = {}

    @override
    def show(self, job: str, standing: Standing) -> None:
        self._begun.setdefault(job, self._clock())
        pace = self._paces.setdefault(job, Pace(self._clock))
        left = pace.left(standing.fraction)
        saying = (standing.phase, int(standing.fraction * 10))
        if self._said.get(job) == saying:
            return
        self._said[job] = saying
        words = [
            percent_text(standing.fraction) if standing.fraction else "",
            speed_text(standing.speed),
            f"{clock_text(left)} left"
            if left is not None and standing.fraction < 1
            else "",
        ]
        more = ", ".join(word for word in words if word)
        _say(f"{standing.label}: {standing.phase} {more}".rstrip())

    @override
    def ended(self, job: str, label: str, said: str, seconds: float | None = None) -> None:
        begun = self._begun.get(job)
        if seconds is None and begun is not None:
            seconds = self._clock() - begun
        took = "" if seconds is None else f" in {took_text(seconds)}"
        _say(f"{label}: {said}{took}")


@dataclass(slots=True)
class _Bar:
    task: "TaskID"
    pace: Pace = field(default_factory=Pace)


class Bars(Display):
    """Draws a bar for each job at work, and one for all of them where there are many.

    Nothing is drawn, and Rich is not loaded, before there is something to show: it loads
    while the encoder already runs.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._bars: dict[str, _Bar] = {}
        self._progress: Progress | None = None
        self._overall: TaskID | None = None

    @override
    def show(self, job: str, standing: Standing) -> None:
        progress = self._started()
        bar = self._bars.get(job)
        if bar is None:
            task = progress.add_task(_short(standing.label), total=1, **_NO_FIELDS)
            bar = self._bars[job] = _Bar(task)
        left = bar.pace.left(standing.fraction)
        progress.update(
            bar.task,
            completed=standing.fraction,
            phase=standing.phase,
            speed=speed_text(standing.speed),
            left="" if left is None else f"{clock_text(left)} left",
            percent=percent_text(standing.fraction),
        )

    @override
    def ended(self, job: str, label: str, said: str, seconds: float | None = None) -> None:
        progress = self._started()
        self._done += 1
        bar = self._bars.pop(job, None)
        if bar is not None:
            progress.remove_task(bar.task)
        if self._overall is not None:
            progress.update(self._overall, completed=self._done, phase=self._of_all())
            progress.console.print(f"{label}: {said}", markup=False, highlight=False)

    @override
    def close(self) -> None:
        if self._progress is not None:
            self._progress.stop()

    def _started(self) -> "Progress":
        if self._progress is None:
            self._progress = _make_progress()
            self._progress.start()
            if self._total > 1:
                self._overall = self._progress.add_task(
                    "all", total=self._total, **(_NO_FIELDS | {"phase": self._of_all()})
                )
        return self._progress

    def _of_all(self) -> str:
        return f"{self._done} of {self._total}"


def display_for(total: int, *, quiet: bool = False) -> Display:
    """Return the display that fits where standard error goes, for ``total`` jobs."""
    if quiet:
        return NoDisplay()
    return Bars(total) if sys.stderr.isatty() else Lines()


def combined_fraction(tasks: Mapping[str, tuple[float, float]]) -> float:
    """Return how far a job is from the (weight, fraction) of its tasks by key.

    The task that inspects counts only while no other is known: it is planned from what it
    finds, or carries the job through alone.
    """
    others = {key: task for key, task in tasks.items() if key != "inspect"} or tasks
    return min(sum(weight * fraction for weight, fraction in others.values()), 1.0)


def _make_progress() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        TextColumn("{task.fields[phase]}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[percent]:>4}", markup=False),
        TextColumn("{task.fields[speed]:>6}", markup=False),
        TextColumn("{task.fields[left]}", markup=False),
        console=Console(stderr=True),
        transient=True,
        refresh_per_second=5,
    )


def _short(label: str, most: int = 32) -> str:
    """Return a label that leaves room for the bar: its end tells more than its start."""
    return label if len(label) <= most else "…" + label[1 - most :]


def _say(line: str) -> None:
    typer.echo(line, err=True)
