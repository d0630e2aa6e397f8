"""One attempt at a task, as the nommer sees it that does it."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from threading import Lock
from urllib.parse import unquote, urlsplit

from media_nommer.core.errors import NommerError, OutputExists, WorkStopped
from media_nommer.core.jobs import Job, Phase
from media_nommer.core.ports.encoder import Encoded, Encoder, Progress
from media_nommer.core.tasks import Task
from media_nommer.core.workflow.changes import change_job
from media_nommer.core.workflow.claims import HeldTask
from media_nommer.core.workflow.engine import Engine
from media_nommer.ec2nommerd.nommers.sending import NOTHING_AHEAD, Ahead


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far one attempt is: ``fraction`` from 0 to 1, ``speed`` in times real time."""

    job: Job
    task: Task
    phase: Phase
    fraction: float
    speed: float | None = None


@dataclass(slots=True)
class Work:
    """One attempt as its nommer sees it.

    ``scratch`` is a folder of its own; ``log`` a file in it that is kept after the attempt.
    ``cpu_seconds`` adds up what its encoders used. What is reported of its progress goes
    from one edge of ``span`` to the other. What is ``ahead`` is on its way to the work area
    while it is written; what is ``placed`` is there, by its SHA-256. After the ``last_try``
    an error that may pass ends the job as any other does.
    """

    engine: Engine
    held: HeldTask
    scratch: Path
    on_step: Callable[[Step], None]
    last_try: bool = False
    phase: Phase = Phase.INSPECTING
    cpu_seconds: float = field(default=0.0)
    span: tuple[float, float] = (0.0, 1.0)
    ahead: Ahead = NOTHING_AHEAD
    placed: dict[str, str] = field(default_factory=dict)
    _adding: Lock = field(default_factory=Lock, repr=False)

    @property
    def job(self) -> Job:
        """The job as it was at the last look."""
        return self.held.job

    @property
    def task(self) -> Task:
        """The task under our claim."""
        return self.held.task

    @property
    def attempt(self) -> str:
        """What it is called, as no other is."""
        return f"{self.task.id}.c{self.held.number}"

    @property
    def log(self) -> Path:
        """Where encoders append what they print."""
        return self.scratch / "attempt.log"

    @property
    def source_name(self) -> str:
        """What the source's file is called."""
        return PurePosixPath(unquote(urlsplit(self.job.source).path)).name

    @property
    def source_stem(self) -> str:
        """The same without its extension, for the names of outputs."""
        return PurePosixPath(self.source_name).stem or "output"

    def stop(self) -> WorkStopped | None:
        """Return why the work must be dropped now, None while it may go on."""
        return self.held.stopped

    def worth_another_try(self, error: NommerError) -> bool:
        """Return whether an error is better left to the next attempt."""
        return error.retryable and not self.last_try

    def check(self) -> None:
        """Raise the reason if the work must be dropped now."""
        if self.held.stopped is not None:
            raise self.held.stopped

    def enter(self, phase: Phase) -> None:
        """Put the job into a phase.

        Raises:
            WorkStopped: the job is over.
        """
        self.phase = phase
        engine, run = self.engine, self.task.run
        job = change_job(
            engine.store,
            self.job.id,
            lambda job: (
                None
                if job.state.final or job.run != run or job.phase is phase
                else job.in_phase(phase, at=engine.clock.now())
            ),
        )
        self.held.job = job
        self.held.check(job)

    def report(self, fraction: float, speed: float | None = None) -> None:
        """Tell how far it is within ``span``, 0 to 1; the next beat writes it down."""
        begin, end = self.span
        fraction = begin + min(fraction, 1.0) * (end - begin)
        self.held.reached = min(fraction, 1.0)
        self.held.progress = max(self.held.progress, self.held.reached)
        self.on_step(
            Step(
                job=self.job,
                task=self.task,
                phase=self.phase,
                fraction=self.held.progress,
                speed=speed,
            )
        )

    @contextmanager
    def part(self, begin: float, end: float) -> Iterator[None]:
        """Take what is reported meanwhile for a part of what it is a part of."""
        low, high = before = self.span
        self.span = (low + begin * (high - low), low + end * (high - low))
        try:
            yield
        finally:
            self.span = before

    def encode(
        self,
        encoder: Encoder,
        argv: Sequence[str],
        *,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Encoded:
        """Run an encoder in scratch; its log is kept, and what it used is added up.

        Raises:
            NommerError: as ``Encoder.run`` says, or why the work must be dropped.
        """
        ran = encoder.run(
            argv, cwd=self.scratch, log=self.log, on_progress=on_progress, stop=self.stop
        )
        self._add_up(ran)
        return ran

    def encode_aside(self, encoder: Encoder, argv: Sequence[str]) -> None:
        """Run an encoder, briefly, while another runs: what it prints is not kept.

        Raises:
            NommerError: as ``encode`` does.
        """
        log = self.scratch / "aside.log"
        try:
            self._add_up(encoder.run(argv, cwd=self.scratch, log=log, stop=self.stop))
        finally:
            log.unlink(missing_ok=True)

    def _add_up(self, ran: Encoded) -> None:
        with self._adding:
            self.cpu_seconds += ran.cpu_seconds

    def keep(self, path: Path, name: str, *, sha256: str | None = None) -> str:
        """Put a file under the attempt's own name in the work area; return its URL.

        What stands there already, by its sum, is where it is.
        """
        self.ahead.stop_feeding()
        if sha256 in self.placed:
            return self.placed[sha256]
        url = self.url_of(name)
        if not self.ahead.finish(path, sha256):
            self.engine.storage.put(path, url, sha256=sha256, stop=self.stop)
        return url

    def place(self, path: Path) -> None:
        """Put a file into the work area that is likely to be kept, under its sum."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        url = self.url_of(f"ahead/{digest}{path.suffix}")
        with suppress(OutputExists):  # of two that are alike, or made once more
            self.engine.storage.put(path, url, sha256=digest, stop=self.stop)
        self.placed[digest] = url

    def url_of(self, name: str) -> str:
        """Return where ``keep`` puts what has this name."""
        return f"{self.engine.attempt_url(self.task, self.held.number)}/{name}"
