"""What feederd answers, as types: plain dictionaries, with the API's own names.

Moments are ISO 8601 texts in UTC. A newer feederd may answer with more than is named here.
"""

from typing import Any, TypedDict


class FailureDocument(TypedDict):
    """What went wrong: ``code`` is for programs, the rest for people."""

    code: str
    message: str
    advice: str
    retryable: bool
    log_tail: list[str]


class FileDocument(TypedDict):
    """A file in its place. ``size`` is bytes."""

    url: str
    size: int
    sha256: str


class OutputDocument(TypedDict):
    """One output of a job; ``files`` are listed once they are in place.

    ``warnings`` say what it does not come to, though it was made.
    """

    name: str
    state: str
    files: list[FileDocument]
    facts: dict[str, Any]
    warnings: list[str]
    failure: FailureDocument | None


class JobDocument(TypedDict):
    """A job. ``progress`` goes from 0 to 1 and never back within a ``run``.

    ``machine_seconds`` and ``cost`` (US dollars) are of all its runs; in lists both are
    None, and ``cost`` where the price of a machine is not known.
    """

    id: str
    state: str
    phase: str | None
    progress: float
    run: int
    source: str
    destination: str | None
    outputs: list[OutputDocument]
    tags: dict[str, str]
    pass_through: Any
    failure: FailureDocument | None
    created_at: str
    started_at: str | None
    finished_at: str | None
    deadline: str | None
    machine_seconds: float | None
    cost: float | None


class JobPage(TypedDict):
    """Some jobs, newest first; ``cursor`` asks for the next page, None at the end."""

    jobs: list[JobDocument]
    cursor: str | None


class MachineDocument(TypedDict):
    """What a node runs on. ``price`` is US dollars an hour, None where it is not known."""

    name: str
    type: str
    market: str
    zone: str
    price: float | None
    started_at: str | None
    ended_at: str | None


class AttemptDocument(TypedDict):
    """One attempt at a task; ``commands`` can be pasted into a shell."""

    task: str
    run: int
    number: int
    node: str
    started_at: str
    ended_at: str
    end: str
    cpu_seconds: float | None
    machine_seconds: float | None
    cost: float | None
    machine: MachineDocument | None
    failure: FailureDocument | None
    commands: list[str]
    log: str | None


class LogsDocument(TypedDict):
    """Every attempt at a job that is on record, the oldest first."""

    job: str
    attempts: list[AttemptDocument]


class NodeDocument(TypedDict):
    """A node, and how many of its slots are busy."""

    id: str
    kind: str
    state: str
    host: str
    slots: int
    busy: int
    kept: bool
    detail: str
    machine: MachineDocument
    created_at: str
    joined_at: str | None
    changed_at: str


class NodeLogDocument(TypedDict):
    """What a node on EC2 has logged."""

    node: str
    log: str


class NodeSumsDocument(TypedDict):
    """What nodes were paid for; costs are US dollars of those whose price is known."""

    nodes: int
    unpriced: int
    boot_seconds: float
    worked_seconds: float
    idle_seconds: float
    boot_cost: float
    worked_cost: float
    idle_cost: float
    cost: float


class CostRowDocument(TypedDict):
    """The sums of one ``key``, None for what has none."""

    key: str | None
    jobs: int
    unpriced_jobs: int
    machine_seconds: float
    cost: float
    nodes: NodeSumsDocument


class CostsDocument(TypedDict):
    """What was spent on jobs created, and on nodes that ended, from since to until."""

    by: str
    since: str
    until: str
    rows: list[CostRowDocument]
    total: CostRowDocument
    cursor: str | None


class RangeDocument(TypedDict):
    """What it may be, and what it most likely is."""

    low: float
    likely: float
    high: float


class CostRangeDocument(TypedDict):
    """US dollars on nodes of a kind: beside other jobs, and on one started for it alone."""

    kind: str
    price: float | None
    low: float | None
    high: float | None


class EstimateDocument(TypedDict):
    """What a job will take; ``jobs`` is on how many past ones that rests, ``basis`` how."""

    work_seconds: RangeDocument
    wall_seconds: RangeDocument
    costs: list[CostRangeDocument]
    film_seconds: float | None
    jobs: int
    basis: str


class HealthDocument(TypedDict):
    """That feederd and its store answer."""

    status: str
    version: str
    nodes: int
    queued: int
