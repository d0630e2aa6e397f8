"""The job record: what was asked for, how far it is, and what is being published."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import NewType

from media_nommer.core.errors import Failure, IllegalTransition, JobArchived

JobId = NewType("JobId", str)

#: Of how many files it is kept on record that attempts had begun to put them.
_BEGUN_KEPT = 200


class JobState(StrEnum):
    """Where a job is."""

    #: Accepted; no worker has begun it in this run.
    PENDING = "pending"
    #: At least one worker has begun it.
    RUNNING = "running"
    #: Every output is in place.
    FINISHED = "finished"
    #: It cannot be done, or an output of it cannot; the failure says why.
    FAILED = "failed"
    #: Somebody asked to stop it.
    CANCELED = "canceled"
    #: Its workers kept dying, or its deadline passed.
    ABANDONED = "abandoned"

    @property
    def final(self) -> bool:
        """Whether only a retry may follow."""
        return self not in {JobState.PENDING, JobState.RUNNING}


_FINAL = frozenset(
    {JobState.FINISHED, JobState.FAILED, JobState.CANCELED, JobState.ABANDONED}
)

#: The whole lifecycle. The arrow from a final state back to PENDING is a retry: a new run.
NEXT_JOB_STATES: Mapping[JobState, frozenset[JobState]] = {
    JobState.PENDING: frozenset({JobState.RUNNING}) | (_FINAL - {JobState.FINISHED}),
    JobState.RUNNING: _FINAL,
    JobState.FINISHED: frozenset({JobState.PENDING}),
    JobState.FAILED: frozenset({JobState.PENDING}),
    JobState.CANCELED: frozenset({JobState.PENDING}),
    JobState.ABANDONED: frozenset({JobState.PENDING}),
}


class Priority(StrEnum):
    """Which jobs go first."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Phase(StrEnum):
    """What a running job is mostly busy with."""

    INSPECTING = "inspecting"
    ENCODING = "encoding"
    ASSEMBLING = "assembling"
    PUBLISHING = "publishing"


class OutputState(StrEnum):
    """Where one output of a job is."""

    PENDING = "pending"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFile:
    """One file of an output: where it goes, and what exactly it is.

    ``url`` is where it is published, ``work_url`` where its bytes lie until then; ``size``
    is bytes. ``before`` is the storage's version of what stood at ``url`` when the
    publication was recorded, None for nothing. The name of one that is the publication's
    ``own`` is given by no other.
    """

    url: str
    size: int
    sha256: str
    work_url: str = ""
    before: str | None = None
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One output of a job, which publishes on its own.

    ``files`` are recorded before the first byte of them is published (rule 7), in the order
    in which they are put in their places, and say what is in place once ``state`` is
    finished. ``stale`` are the URLs of earlier runs' own files, which go once the new ones
    stand. ``facts`` tells people what was made.
    """

    name: str
    state: OutputState = OutputState.PENDING
    files: tuple[PublishedFile, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict)
    failure: Failure | None = None
    stale: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a job, kept with the change that made it happen."""

    number: int
    at: datetime
    kind: str
    run: int
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One request: inputs, outputs, and where they go.

    A job is a value: changing it means making the next one and asking the store to swap it
    in. ``revision`` is the one that this value was read at; of two that act on the same
    revision the store believes only the first.

    ``recipe`` is the validated document with its presets resolved. ``progress`` (0 to 1)
    never goes back within a ``run`` and is 1 only when every output is in place.
    """

    id: JobId
    recipe: Mapping[str, object]
    source: str
    outputs: tuple[Output, ...]
    created_at: datetime
    changed_at: datetime
    state: JobState = JobState.PENDING
    phase: Phase | None = None
    progress: float = 0.0
    run: int = 1
    priority: Priority = Priority.NORMAL
    #: With whose jobs it shares the workers fairly; empty for a share of its own.
    group: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    #: The names of the presets that it uses, each once.
    presets: tuple[str, ...] = ()
    #: The publication's id once it is recorded in this run.
    publication: str | None = None
    #: Where attempts have begun to put outputs before that; unseen, and theirs to drop.
    begun: tuple[str, ...] = ()
    failure: Failure | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    deadline: datetime | None = None
    events: tuple[Event, ...] = ()
    #: Since when it is on its way to the archive, or there; from then on it stays as it is.
    archived_at: datetime | None = None
    revision: int = 0

    @property
    def seconds(self) -> float | None:
        """How long its last run took, from its beginning to its end; None without both."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    def moved_to(
        self, state: JobState, *, at: datetime, failure: Failure | None = None
    ) -> "Job":
        """Return this job in ``state``, with the event that tells of it.

        Raises:
            JobArchived: it has gone to the archive.
            IllegalTransition: ``state`` does not follow from the current one.
        """
        self._check_not_archived()
        if state not in NEXT_JOB_STATES[self.state]:
            raise IllegalTransition(
                f"job {self.id} is {self.state}, and that does not lead to {state}"
            )
        return replace(
            self,
            state=state,
            phase=None if state.final or state is JobState.PENDING else self.phase,
            progress=1.0 if state is JobState.FINISHED else self.progress,
            outputs=_closed(self.outputs, state, failure),
            failure=failure,
            changed_at=at,
            started_at=at if state is JobState.RUNNING else self.started_at,
            finished_at=at if state.final else None,
            events=self._with_event(at, f"job.{state}", failure.code if failure else ""),
        )

    def in_phase(self, phase: Phase, *, at: datetime) -> "Job":
        """Return this job, running, in ``phase``."""
        running = (
            self
            if self.state is JobState.RUNNING
            else self.moved_to(JobState.RUNNING, at=at)
        )
        return replace(running, phase=phase, changed_at=at)

    def with_output(self, index: int, output: Output, *, at: datetime) -> "Job":
        """Return this job with one output replaced.

        Raises:
            JobArchived: it has gone to the archive.
        """
        self._check_not_archived()
        outputs = (*self.outputs[:index], output, *self.outputs[index + 1 :])
        return replace(self, outputs=outputs, changed_at=at)

    def beginning(self, urls: Sequence[str], *, at: datetime) -> "Job":
        """Return this job with where something is about to be sent ahead on record.

        Of the oldest of many attempts nothing is kept: those after them dropped it.
        """
        begun = tuple(dict.fromkeys((*self.begun, *urls)))
        return replace(self, changed_at=at, begun=begun[-max(_BEGUN_KEPT, len(urls)) :])

    def publishing(
        self, publication: str, outputs: tuple[Output, ...], *, at: datetime
    ) -> "Job":
        """Return this job with what is about to be published on record (rule 7)."""
        return replace(
            self.in_phase(Phase.PUBLISHING, at=at), publication=publication, outputs=outputs
        )

    def retried(self, *, at: datetime, whole: bool = False) -> "Job":
        """Return the next run of this job: of its unfinished outputs, or of all.

        Raises:
            JobArchived: it has gone to the archive.
            IllegalTransition: the job is not final, or has nothing left to do.
        """
        again = replace(self, run=self.run + 1).moved_to(JobState.PENDING, at=at)
        outputs = tuple(
            out
            if out.state is OutputState.FINISHED and not whole
            else replace(out, state=OutputState.PENDING, failure=None)
            for out in self.outputs
        )
        if all(out.state is OutputState.FINISHED for out in outputs):
            raise IllegalTransition(
                f"job {self.id} is finished: every output of it is in place",
                advice="Say that the whole job is meant if you want it done anew.",
            )
        return replace(
            again,
            outputs=outputs,
            progress=0.0,
            publication=None,
            failure=None,
            started_at=None,
            deadline=None,
        )

    def with_event(self, kind: str, *, at: datetime, detail: str = "") -> "Job":
        """Return this job with something on record that changed nothing else of it.

        Raises:
            JobArchived: it has gone to the archive.
        """
        self._check_not_archived()
        return replace(self, changed_at=at, events=self._with_event(at, kind, detail))

    def archived(self, *, at: datetime) -> "Job":
        """Return this job, which is final, as one that never changes again.

        Raises:
            JobArchived: it is that already.
            IllegalTransition: it is not final.
        """
        self._check_not_archived()
        if not self.state.final:
            raise IllegalTransition(
                f"job {self.id} is {self.state}, and only jobs that are over are archived"
            )
        return replace(self, archived_at=at)

    def _check_not_archived(self) -> None:
        if self.archived_at is not None:
            raise JobArchived(
                f"job {self.id} is {self.state} and in the archive, and cannot change"
            )

    def _with_event(self, at: datetime, kind: str, detail: str) -> tuple[Event, ...]:
        number = self.events[-1].number + 1 if self.events else 1
        event = Event(number=number, at=at, kind=kind, run=self.run, detail=detail)
        return (*self.events, event)


def _closed(
    outputs: tuple[Output, ...], state: JobState, failure: Failure | None
) -> tuple[Output, ...]:
    """Return the outputs as the end of their job leaves them; finished ones stand."""
    if not state.final or state is JobState.FINISHED:
        return outputs
    closed = OutputState.CANCELED if state is JobState.CANCELED else OutputState.FAILED
    return tuple(
        replace(out, state=closed, failure=failure)
        if out.state is OutputState.PENDING
        else out
        for out in outputs
    )
