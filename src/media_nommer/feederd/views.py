"""What the API answers: records as callers see them, nothing secret or internal in them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from media_nommer.core.errors import Failure
from media_nommer.core.jobs import Event, Job, Output, OutputState
from media_nommer.core.nodes import Machine, Node
from media_nommer.core.presets import Preset
from media_nommer.core.shares import Spent
from media_nommer.core.tasks import Attempt, Task
from media_nommer.feederd.progress import progress_of
from media_nommer.feederd.scaler import Decided
from media_nommer.planning.reports import warnings_of


class View(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class FailureView(View):
    """What went wrong: ``code`` is for programs, the rest for people (rule 10)."""

    code: str
    message: str
    advice: str = ""
    retryable: bool = False
    log_tail: tuple[str, ...] = ()

    @classmethod
    def of(cls, failure: Failure | None) -> "FailureView | None":
        """Return the view of a failure, None for none."""
        if failure is None:
            return None
        return cls(
            code=failure.code,
            message=failure.message,
            advice=failure.advice,
            retryable=failure.retryable,
            log_tail=failure.log_tail,
        )


class FileView(View):
    """A file in its place. ``size`` is bytes."""

    url: str
    size: int
    sha256: str


class OutputView(View):
    """One output; ``files`` are listed once they are in place.

    ``warnings`` say what it does not come to, though it was made.
    """

    name: str
    state: str
    files: tuple[FileView, ...] = ()
    facts: Mapping[str, Any] = {}
    warnings: tuple[str, ...] = ()
    failure: FailureView | None = None

    @classmethod
    def of(cls, output: Output) -> "OutputView":
        """Return the view of an output."""
        in_place = output.files if output.state is OutputState.FINISHED else ()
        return cls(
            name=output.name,
            state=output.state,
            files=tuple(
                FileView(url=file.url, size=file.size, sha256=file.sha256)
                for file in in_place
            ),
            facts=output.facts,
            warnings=warnings_of(output),
            failure=FailureView.of(output.failure),
        )


_LINKS = ("events", "logs", "links", "report")


class JobView(View):
    """A job. ``progress`` goes from 0 to 1 and never back within a ``run``.

    ``machine_seconds`` and ``cost``, in US dollars, are of all its runs so far, and null in
    lists; ``cost`` is null too where the price of a machine is not known.
    """

    id: str
    state: str
    phase: str | None
    progress: float
    run: int
    source: str
    destination: str | None
    outputs: tuple[OutputView, ...]
    priority: str
    group: str | None
    tags: Mapping[str, str]
    pass_through: Any
    failure: FailureView | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    deadline: datetime | None
    machine_seconds: float | None
    cost: float | None
    links: Mapping[str, str]

    @classmethod
    def of(cls, job: Job, tasks: Sequence[Task], spent: Spent | None = None) -> "JobView":
        """Return the view of a job whose present run has ``tasks``, others may be there."""
        recipe: Mapping[str, Any] = job.recipe
        own = f"/v1/jobs/{job.id}"
        return cls(
            id=job.id,
            state=job.state,
            phase=job.phase,
            progress=round(progress_of(job, tasks), 4),
            run=job.run,
            source=job.source,
            destination=recipe.get("destination"),
            outputs=tuple(OutputView.of(output) for output in job.outputs),
            priority=job.priority,
            group=job.group or None,
            tags=recipe.get("tags") or {},
            pass_through=recipe.get("pass_through"),
            failure=FailureView.of(job.failure),
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            deadline=job.deadline,
            machine_seconds=None if spent is None else seconds_shown(spent.seconds),
            cost=None if spent is None else dollars_shown(spent.cost),
            links={"self": own} | {name: f"{own}/{name}" for name in _LINKS},
        )


class EventView(View):
    """Something that happened to a job, in the ``run`` that it had then."""

    number: int
    at: datetime
    kind: str
    run: int
    detail: str

    @classmethod
    def of(cls, event: Event) -> "EventView":
        """Return the view of an event."""
        return cls(
            number=event.number,
            at=event.at,
            kind=event.kind,
            run=event.run,
            detail=event.detail,
        )


class JobEvents(View):
    """All that happened to a job, in that order."""

    job: str
    events: tuple[EventView, ...]


class JobList(View):
    """Some jobs, newest first; ``cursor`` asks for the next page, null at the end."""

    jobs: tuple[JobView, ...]
    cursor: str | None


class MachineView(View):
    """What a node runs on. ``price`` is US dollars an hour, null where it is not known."""

    name: str
    type: str
    market: str
    zone: str
    price: float | None
    started_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, machine: Machine) -> "MachineView":
        """Return the view of a machine."""
        return cls(
            name=machine.name,
            type=machine.type,
            market=machine.market,
            zone=machine.zone,
            price=machine.price,
            started_at=machine.started_at,
            ended_at=machine.ended_at,
        )


class AttemptView(View):
    """One attempt at a task, with the command that it ran and the whole of its log.

    ``machine_seconds`` is its share of its node's, null where nobody counted it.
    """

    task: str
    run: int
    number: int
    node: str
    started_at: datetime
    ended_at: datetime
    end: str
    cpu_seconds: float | None
    machine_seconds: float | None
    cost: float | None
    machine: MachineView | None
    failure: FailureView | None
    commands: tuple[str, ...] = ()
    log: str | None = None

    @classmethod
    def of(cls, task: Task, attempt: Attempt, log: str | None) -> "AttemptView":
        """Return the view of an attempt; None for ``log`` says that none is kept."""
        lines = log.splitlines() if log else []
        share = attempt.share
        return cls(
            task=task.key,
            run=task.run,
            number=attempt.number,
            node=attempt.node,
            started_at=attempt.started_at,
            ended_at=attempt.ended_at,
            end=attempt.end,
            cpu_seconds=attempt.cpu_seconds,
            machine_seconds=None if share is None else seconds_shown(share.seconds),
            cost=None if share is None else dollars_shown(share.cost),
            machine=None if share is None else MachineView.of(share.machine),
            failure=FailureView.of(attempt.failure),
            commands=tuple(line[2:] for line in lines if line.startswith("$ ")),
            log=log,
        )


class JobLogs(View):
    """Every attempt at a job that is on record, the oldest first."""

    job: str
    attempts: tuple[AttemptView, ...]


class LinkView(View):
    """A file in its place; ``link`` is null where its storage gives none."""

    output: str
    url: str
    link: str | None


class JobLinks(View):
    """A link to each file of a job that is in place."""

    job: str
    files: tuple[LinkView, ...]


class NodeView(View):
    """A node, and how many of its slots are busy.

    It takes tasks from ``joined_at`` on; in ``worked`` seconds it had some.
    """

    id: str
    kind: str
    state: str
    host: str
    pid: int | None
    slots: int
    busy: int
    kept: bool
    detail: str
    machine: MachineView
    created_at: datetime
    joined_at: datetime | None
    changed_at: datetime
    worked: float

    @classmethod
    def of(cls, node: Node) -> "NodeView":
        """Return the view of a node."""
        return cls(
            id=node.id,
            kind=node.kind,
            state=node.state,
            host=node.host,
            pid=node.pid,
            slots=node.slots,
            busy=node.busy,
            kept=node.kept,
            detail=node.detail,
            machine=MachineView.of(node.machine),
            created_at=node.created_at,
            joined_at=node.joined_at,
            changed_at=node.changed_at,
            worked=seconds_shown(node.worked),
        )


class NodeList(View):
    """The nodes, the oldest first."""

    nodes: tuple[NodeView, ...]


class NodeLogView(View):
    """What a node has logged, or the newest of it where that is much."""

    node: str
    log: str


class DecisionView(View):
    """What was decided: the kinds of node that were started, and why so many.

    ``held_back_by`` names the limit that kept it from more, null where none did.
    """

    at: datetime
    launches: tuple[str, ...]
    reason: str
    held_back_by: str | None


class FleetDecision(View):
    """The last decision on the fleet, null where this feederd does not decide."""

    decision: DecisionView | None

    @classmethod
    def of(cls, decided: Decided | None) -> "FleetDecision":
        """Return the view of what was decided last."""
        if decided is None:
            return cls(decision=None)
        made = decided.decision
        return cls(
            decision=DecisionView(
                at=decided.at,
                launches=made.launches,
                reason=made.reason,
                held_back_by=made.held_back_by or None,
            )
        )


class PresetView(View):
    """A preset: ``output`` is what it stands for in a recipe."""

    name: str
    description: str
    output: Mapping[str, Any]

    @classmethod
    def of(cls, preset: Preset) -> "PresetView":
        """Return the view of a preset."""
        return cls(name=preset.name, description=preset.description, output=preset.output)


class PresetList(View):
    """The presets."""

    presets: tuple[PresetView, ...]


class Health(View):
    """That feederd and its store answer; ``nodes`` counts those that are not gone."""

    status: str = "ok"
    version: str
    nodes: int = 0
    queued: int = Field(default=0, description="Messages on the queue, held or waiting.")


def seconds_shown(seconds: float) -> float:
    """Return seconds as they are shown: to a millisecond."""
    return round(seconds, 3)


def dollars_shown(cost: float | None) -> float | None:
    """Return US dollars as they are shown: a second of a cheap machine is a millionth."""
    return None if cost is None else round(cost, 8)
