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
    """One output of a job; ``files`` are listed once they are in place."""

    name: str
    state: str
    files: list[FileDocument]
    facts: dict[str, Any]
    failure: FailureDocument | None


class JobDocument(TypedDict):
    """A job. ``progress`` goes from 0 to 1 and never back within a ``run``."""

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


class JobPage(TypedDict):
    """Some jobs, newest first; ``cursor`` asks for the next page, None at the end."""

    jobs: list[JobDocument]
    cursor: str | None


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


class HealthDocument(TypedDict):
    """That feederd and its store answer."""

    status: str
    version: str
    nodes: int
    queued: int
